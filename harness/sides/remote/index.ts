export { buildPage } from './build-page';
export { deferred, type Deferred } from './deferred';
export { findChromium, launchBrowser, type LaunchOptions } from './launch';
export { pageHtml } from './page-file';
export { remoteSide } from './remote-side';
export { servePage, withConfig, type Handlers, type PageServer } from './server';
