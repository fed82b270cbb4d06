// `npm run cli`: the command line from the sources. They are made JavaScript first, where they have changed since the last time.
const path = require('node:path');
const { build, built } = require('./build-program.cjs');

try {
  build();
} catch (error) {
  // not 1, which says that two networks differ; esbuild has printed what it cannot read
  console.error(`The program cannot be made from the sources in ${built}: ${error.message}`);
  process.exit(2);
}
require(path.join(built, 'harness', 'cli', 'bin.js'));
