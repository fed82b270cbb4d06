/** A .wasm file as a data URL: the bundler puts it into the page. */
declare module '*.wasm' {
  const address: string;
  export = address;
}
