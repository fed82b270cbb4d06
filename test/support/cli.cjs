// `npm run cli`: the command line from the sources. They are made JavaScript first, where they have changed since the last time.
const path = require('node:path');
const { build, built } = require('./build-program.cjs');

build();
require(path.join(built, 'harness', 'cli', 'bin.js'));
