export { runBrowser, type BrowserRun, type BrowserRunOptions } from './run-browser';
