import type { ParityReport } from './report';

/** The report as JSON can hold it: NaN and infinities become strings. */
export function plainReport(report: ParityReport): ParityReport {
  return JSON.parse(plainJson(report)) as ParityReport;
}

/** JSON has no NaN and no infinities: they become strings. */
export function plainJson(value: unknown): string {
  return JSON.stringify(value, withoutNonFinite);
}

function withoutNonFinite(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

export function withDigest(plain: ParityReport, digest: string): string {
  return `${JSON.stringify({ ...plain, digest }, null, 1)}\n`;
}

/**
 * What `formatReport` writes in Node, by the digest of a browser; without a digest on a page from an address that the browser does not call
 * secure (http:, another machine), where it has none.
 */
export async function reportText(report: ParityReport): Promise<string> {
  const plain = plainReport(report);
  const { subtle } = crypto as { readonly subtle?: typeof crypto.subtle };
  if (subtle === undefined) return `${JSON.stringify(plain, null, 1)}\n`;
  const bytes = new TextEncoder().encode(JSON.stringify(plain));
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return withDigest(plain, `sha256:${hex}`);
}
