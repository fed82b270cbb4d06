export { buildPage } from './build-page';
export { findChromium, launchBrowser, type LaunchOptions } from './launch';
export { pageHtml } from './page-file';
export { runBrowser, type BrowserRun, type BrowserRunOptions } from './run-browser';
