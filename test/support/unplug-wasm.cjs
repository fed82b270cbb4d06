// Preloaded by a test: makes the wasm backend impossible to load, as on a machine without it.
const Module = require('node:module');
const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  if (request.startsWith('@tensorflow/tfjs-backend-wasm')) throw new Error('wasm is unplugged');
  return resolve.call(this, request, ...rest);
};
