// mocha's usual reporter, which also writes how many tests passed and failed to the file named by $MOCHA_COUNTS.
const fs = require('node:fs');
const { reporters } = require('mocha');

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once('end', () => {
      const { passes: passed, failures: failed } = this.stats;
      if (process.env.MOCHA_COUNTS)
        fs.writeFileSync(process.env.MOCHA_COUNTS, JSON.stringify({ passed, failed }));
    });
  }
};
