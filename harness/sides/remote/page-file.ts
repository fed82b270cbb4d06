import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The page as the package holds it. */
const built = join(__dirname, '../../parity/page/page.built.html');

let page: Promise<string> | undefined;

/** The page: of the package, or built from the sources; read or built once. */
export function pageHtml(): Promise<string> {
  page ??= existsSync(built)
    ? readFile(built, 'utf8')
    : import('./build-page.js').then(({ buildPage }) => buildPage());
  return page;
}
