import { createHash } from 'node:crypto';
import { UsageError } from '../base/outcome';
import { asObject, type Json } from './json';

export const sha256 = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

/** What rnn-parity writes into `userDefinedMetadata`. */
const metadataNames = {
  classNames: true,
  standardisation: true,
  featureNames: true,
  trainedBy: true,
  maskValue: true,
  checksums: true,
} as const;

const own = 'model.json';
const sealed: readonly string[] = ['weights.bin', 'weights.npz', own];

/**
 * model.json with the SHA-256 of the weight files and of its own content (as JSON.stringify writes it without that sum, so that another
 * layout of the text is the same content).
 */
export function seal<T extends { readonly userDefinedMetadata: object }>(
  json: T,
  files: Readonly<Record<string, string>>,
): T {
  const metadata = (checksums: object): T => ({
    ...json,
    userDefinedMetadata: { ...json.userDefinedMetadata, checksums },
  });
  return metadata({ ...files, [own]: sha256(JSON.stringify(metadata(files))) });
}

export interface Seal {
  /** SHA-256 by the name of the weight file; none for a model of another program */ readonly files: ReadonlyMap<
    string,
    string
  >;
  /** what is not checked in a model that an older version saved */ readonly notes: readonly string[];
}

/**
 * The sums of the weight files, once that of model.json itself is right. TensorFlow.js copies the metadata into a model that it saves
 * again, so sums in a file that names another program are not looked at; nor has what `convert` writes any.
 *
 * @param json model.json as it was parsed
 * @throws UsageError when the content is not that of its sum, or a model of rnn-parity has fields that it never writes
 */
export function checkSeal(json: Json, where: string): Seal {
  const { generatedBy, convertedBy } = json;
  const metadata = asObject(json['userDefinedMetadata']);
  const { checksums, ...others } = metadata;
  const isOurs = String(generatedBy).startsWith('rnn-parity');
  const byOthers = [generatedBy, convertedBy].some((name) =>
    /^(TensorFlow|keras|rnn-parity convert)/i.test(String(name)),
  );
  if (byOthers || (!isOurs && checksums === undefined)) return { files: new Map(), notes: [] };
  const unknown = Object.keys(metadata).find((name) => !Object.hasOwn(metadataNames, name));
  if (unknown !== undefined)
    throw damaged(
      where,
      `has ${JSON.stringify(unknown)} in userDefinedMetadata, which rnn-parity does not write`,
    );
  if (metadata['classNames'] === undefined) throw damaged(where, 'has no class names in userDefinedMetadata');
  const entries = Object.entries(asObject(checksums));
  const odd = entries.find(([file, sum]) => typeof sum !== 'string' || !sealed.includes(file));
  if (odd !== undefined || (checksums !== undefined && entries.length === 0))
    throw damaged(
      where,
      `has checksums of ${JSON.stringify(odd ?? checksums)}, which rnn-parity does not write`,
    );
  const { [own]: sum, ...files } = Object.fromEntries(entries) as Partial<Record<string, string>>;
  const content = { ...json, userDefinedMetadata: { ...others, checksums: files } };
  const found = sha256(JSON.stringify(content));
  if (sum !== undefined && sum !== found)
    throw damaged(
      where,
      `has the SHA-256 ${found.slice(0, 12)} without its own sum, and says ${sum.slice(0, 12)}`,
      `, or, if you edited it on purpose, remove the line "${own}" from its checksums`,
    );
  const notes =
    sum === undefined
      ? [`${where} has no checksum of itself: damage to class names or standardisation would not be found`]
      : [];
  return { files: new Map(entries.filter(([file]) => file !== own) as [string, string][]), notes };
}

function damaged(where: string, what: string, other = ''): UsageError {
  return new UsageError(
    `${where} ${what}: it is damaged, or was edited. Copy the model again, or save it again${other}.`,
  );
}
