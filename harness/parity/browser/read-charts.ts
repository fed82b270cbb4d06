import type { SideCharts } from '../html/index';

const count = { type: 'integer', minimum: 0 };
const text = { type: 'string', maxLength: 500 };
const object = (properties: Readonly<Record<string, object>>, ...optional: readonly string[]): object => ({
  ...{ type: 'object', additionalProperties: false, properties },
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
});
const list = (items: object, maxItems: number): object => ({ type: 'array', items, maxItems });

/** More than a page ever draws. */
const [mostSides, mostMaps, mostCells, mostBins] = [50, 50, 5000, 3000];

const histogram = object({ bins: list(count, mostBins), notNumbers: count });
const range = { type: 'array', items: count, minItems: 2, maxItems: 2 };
const share = { anyOf: [{ type: 'number', minimum: 0 }, { const: 'Infinity' }] };
const cell = object({ step: range, row: range, share });
const map = object({
  ...{ title: text, rowAxis: text, timeSteps: count, rows: count },
  cells: list(cell, mostCells),
});
const heat = object({ caseId: text, maps: list(map, mostMaps), missing: text }, 'missing');
const schema = list(object({ name: text, forward: histogram, backward: histogram, heat }, 'heat'), mostSides);

/**
 * What a page draws, as `plainJson` wrote it; the page is not trusted.
 *
 * @throws RangeError where it is something else
 */
export async function readCharts(written: string): Promise<SideCharts[]> {
  let found: unknown;
  try {
    found = JSON.parse(written, (key, value: unknown) => (key === 'share' ? Number(value) : value));
  } catch (error) {
    throw new RangeError(`not JSON: ${(error as Error).message}`, { cause: error });
  }
  const { Ajv2020 } = await import('ajv/dist/2020.js');
  const validate = new Ajv2020().compile(schema);
  if (!validate(JSON.parse(written)))
    throw new RangeError(
      `${validate.errors?.[0]?.instancePath ?? ''} ${validate.errors?.[0]?.message ?? ''}`,
    );
  return found as SideCharts[];
}
