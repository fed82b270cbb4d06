import { loadEngine } from '../engines/load-engine';
import { serveEngine } from './engine-server';

/** The process of one engine in JavaScript: engine-child ENGINE. */
const [name] = process.argv.slice(2);

// stdout carries answers only; what libraries print goes to stderr.
console.log = console.info = console.debug = console.error;

void serveEngine(() => loadEngine(name), process.stdin, process.stdout).then(() => process.exit());
