export { buildPage, pageHtml } from './build-page';
export { findChromium, launchBrowser, type LaunchOptions } from './launch';
export { remoteSide } from './remote-side';
export { deferred, servePage, withConfig, type Deferred, type Handlers, type PageServer } from './server';
