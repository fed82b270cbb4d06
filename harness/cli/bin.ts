#!/usr/bin/env node
import { main } from './main';
import { ignoreStreamErrors } from './print';

ignoreStreamErrors();
void main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
