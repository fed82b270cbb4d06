import { createHash } from 'node:crypto';
import { UsageError } from '../base/outcome';
import { visible } from '../reports/index';
import schema from '../../docs/schemas/parity-report.schema.json';
import { auditReport } from './audit';
import { reportFormat, type ParityReport } from './report';
import { plainReport, withDigest } from './report-text';

/** JSON text of a report; NaN and infinities become strings, which JSON has no numbers for. */
export function formatReport(report: ParityReport): string {
  const plain = plainReport(report);
  return withDigest(plain, digestOf(plain));
}

function digestOf(plain: ParityReport): string {
  const hash = createHash('sha256').update(JSON.stringify(plain));
  return `sha256:${hash.digest('hex')}`;
}

/** Fields of a report that hold numbers, which may be NaN or infinite. */
const numeric = new Set(
  'reference given expected error allowed usedShare ulps absolute relative digits'.split(' '),
);
const nonFinite: readonly unknown[] = ['NaN', 'Infinity', '-Infinity'];

/**
 * Reads a report of `--json` and derives its verdict again from its own numbers.
 *
 * @param text of the file
 * @param file for messages
 * @returns the report, and one line for each thing in it that does not follow from the rest; none where all is well
 * @throws UsageError where the text is no report of this format, or lacks a part
 */
export async function checkReport(
  text: string,
  file: string,
): Promise<{ readonly report: ParityReport; readonly faults: readonly string[] }> {
  const found = parse(text, file);
  const { format } = (found ?? {}) as { readonly format?: unknown };
  if (format !== reportFormat)
    throw new UsageError(
      `${file} has the format ${JSON.stringify(format ?? null)}, but ${JSON.stringify(reportFormat)} was expected; give a file that \`rnn-parity parity --json FILE\` wrote.`,
    );
  const { Ajv2020 } = await import('ajv/dist/2020.js');
  const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(schema);
  if (!validate(found)) {
    const [first, ...more] = (validate.errors ?? []).map(
      ({ instancePath, message = '' }) => `${instancePath === '' ? 'the report' : instancePath} ${message}`,
    );
    throw new UsageError(
      `${file} does not fit the schema of ${reportFormat} (docs/schemas/parity-report.schema.json): ${first}${more.length > 0 ? `, and ${more.length} more faults` : ''}; make the report again with --json.`,
    );
  }
  const { digest, ...plain } = found as unknown as ParityReport & { readonly digest?: string };
  const report = JSON.parse(text, (key, value: unknown) =>
    numeric.has(key) && nonFinite.includes(value) ? Number(value) : value,
  ) as ParityReport;
  const changed =
    digest === undefined || digest === digestOf(plain)
      ? []
      : ['the digest is not that of the content: the file was changed after the run wrote it'];
  return { report, faults: [...auditReport(report), ...changed] };
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(
      `${file} is not JSON: ${visible((error as Error).message)}; give a file that \`rnn-parity parity --json FILE\` wrote.`,
      { cause: error },
    );
  }
}
