import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The page as the package holds it. */
const built = join(__dirname, '../../parity/page/page.built.html');

/** The page: of the package, or built from the sources. */
export async function pageHtml(): Promise<string> {
  if (existsSync(built)) return readFile(built, 'utf8');
  const { buildPage } = await import('./build-page.js');
  return buildPage();
}
