// Time limits of tests are there to end a test that hangs, never to judge speed. They grow with the number of processes that wait
// for a core, so that a busy machine is slow and nothing fails.
const os = require('node:os');

exports.mochaHooks = {
  beforeEach() {
    const { currentTest } = this;
    if (currentTest.timeout() === 0) return;
    const waiting = os.loadavg()[0] / os.availableParallelism();
    currentTest.timeout(currentTest.timeout() * Math.max(1, 2 * waiting));
  },
};
