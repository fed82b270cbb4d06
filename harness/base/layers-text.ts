import type { LayerConfig } from '../../scratch/index';
import { layerNames, type ModelLayer } from './model';
import { UsageError } from './outcome';

const recurrent = ['simpleRNN', 'lstm', 'gru'];
const wrappers = ['bidirectional', 'timeDistributed'];
const example = "'bidirectional(gru:8),lstm:16:activation=relu,dense:3'";

/**
 * Reads layers as a command line writes them: `lstm:16`, `bidirectional(gru:8),lstm:8`, `embedding:100:8,gru:16:resetAfter=false`.
 * After the units come options as name=value, by the names of `LayerConfig`. A recurrent layer that is followed by another layer
 * with a time axis returns sequences unless it says otherwise.
 *
 * @param flag how messages call it
 * @param drawn gives a number for each size that is written as `*`; without it such a size is refused
 * @throws UsageError with the part that is not a layer; sizes and options are checked where the network is made
 */
export function parseLayers(text: string, flag: string, drawn?: (name: string) => number): LayerConfig[] {
  const layers = splitOutside(text, ',').map((part) => parseLayer(part.trim(), { flag, drawn }));
  const readsTime = ({ layer }: Loose): boolean => recurrent.includes(layer) || wrappers.includes(layer);
  return layers.map((layer, i) => {
    const next = layers.at(i + 1);
    return (next && readsTime(next) ? withSequences(layer) : layer) as unknown as LayerConfig;
  });
}

/** A layer before anybody has checked that its options exist. */
interface Loose {
  readonly layer: string;
  readonly wrapped?: Loose;
  readonly [option: string]: unknown;
}

function withSequences(layer: Loose): Loose {
  if (layer.layer === 'bidirectional' && layer.wrapped)
    return { ...layer, wrapped: withSequences(layer.wrapped) };
  return recurrent.includes(layer.layer) ? { returnSequences: true, ...layer } : layer;
}

interface Reading {
  readonly flag: string;
  readonly drawn: ((name: string) => number) | undefined;
}

function parseLayer(text: string, reading: Reading): Loose {
  const { flag, drawn } = reading;
  const wrapped = /^(\w+)\((.*)\)((?::[^:()]*)*)$/.exec(text);
  if (wrapped !== null) {
    const [, layer, inner, rest] = wrapped;
    if (!wrappers.includes(layer)) {
      throw new UsageError(
        `${flag}: "${layer}" wraps no layer; ${wrappers.join(' and ')} do, for example ${example}.`,
      );
    }
    return {
      layer,
      wrapped: parseLayer(inner.trim(), reading),
      ...parseOptions(rest, text, flag, ['layer', 'wrapped']),
    };
  }
  const [layer, ...parts] = text.split(':');
  const sizes = parts.findIndex((part) => part.includes('='));
  const wanted = layer === 'embedding' ? ['inputDim', 'outputDim'] : ['units'];
  const numbers = (sizes < 0 ? parts : parts.slice(0, sizes)).map((part, i) =>
    part === '*' && drawn !== undefined
      ? drawn(wanted[i])
      : // Number also reads 0x10 and 1e1
        Number(/^ *\d+ *$/.test(part) ? part : Number.NaN),
  );
  if (!(layerNames as readonly string[]).includes(layer) || wrappers.includes(layer)) {
    throw new UsageError(
      `${flag}: "${text}" is not a layer; there are ${layerNames.join(', ')}, for example ${example}.`,
    );
  }
  if (numbers.length !== wanted.length || !numbers.every((n) => Number.isSafeInteger(n) && n > 0)) {
    throw new UsageError(
      `${flag}: "${text}" does not give ${wanted.join(' and ')} as whole numbers above 0; write ${layer}:${wanted.map(() => '16').join(':')}, for example ${example}.`,
    );
  }
  const options = sizes < 0 ? '' : parts.slice(sizes).map((part) => `:${part}`).join(''); // prettier-ignore
  return {
    layer,
    ...Object.fromEntries(wanted.map((name, i) => [name, numbers[i]])),
    ...parseOptions(options, text, flag, ['layer', ...wanted]),
  };
}

/** `:activation=relu:useBias=false`; `given` are the names that the layer has already. */
function parseOptions(
  text: string,
  layer: string,
  flag: string,
  given: readonly string[],
): Record<string, unknown> {
  const parts = text.split(':').slice(1);
  const names = [...given, ...parts.map((part) => part.split('=')[0])];
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined)
    throw new UsageError(
      `${flag}: "${layer}" gives ${twice} twice; keep one of them, for example ${example}.`,
    );
  return Object.fromEntries(
    parts.map((part): [string, unknown] => {
      const option = /^(\w+)=(\w+)$/.exec(part);
      if (option === null) {
        throw new UsageError(
          `${flag}: "${part}" in "${layer}" is not an option; write name=value, for example ${example}.`,
        );
      }
      const [, name, value] = option;
      if (value === 'true' || value === 'false') return [name, value === 'true'];
      return [name, /^\d+$/.test(value) ? Number(value) : value];
    }),
  );
}

/** The text that `parseLayers` reads as these layers; a user's own cell is written with its name. */
export function formatLayers(layers: readonly ModelLayer[]): string {
  return layers.map(formatLayer).join(',');
}

function formatLayer(layer: ModelLayer): string {
  const { layer: word, ...fields } = layer;
  if ('cell' in layer) return `${layer.cell.name}:${layer.units}`;
  const wrapped = 'wrapped' in layer ? `(${formatLayer(layer.wrapped)})` : '';
  const sizes = layer.layer === 'embedding' ? ['inputDim', 'outputDim'] : ['units'];
  const own = Object.entries(fields as Readonly<Record<string, string | number | boolean | undefined>>);
  const numbers = own.flatMap(([name, value]) => (sizes.includes(name) ? [`:${String(value)}`] : []));
  const options = own.flatMap(([name, value]) =>
    name === 'wrapped' || sizes.includes(name) || value === undefined ? [] : [`:${name}=${String(value)}`],
  );
  return `${word}${wrapped}${numbers.join('')}${options.join('')}`;
}

/** Splits at a separator that stands outside of brackets. */
function splitOutside(text: string, separator: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of text) {
    if (character === separator && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
    depth += Number(character === '(') - Number(character === ')');
  }
  return parts;
}
