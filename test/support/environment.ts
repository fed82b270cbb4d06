/** Runs something with changed environment variables (undefined: unset) and puts them back. */
export async function withEnvironment<T>(
  changes: Readonly<Record<string, string | undefined>>,
  run: () => Promise<T> | T,
): Promise<T> {
  const before = { ...process.env };
  const apply = (values: Readonly<Record<string, string | undefined>>): void => {
    for (const [name, value] of Object.entries(values))
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
  };
  apply(changes);
  try {
    return await run();
  } finally {
    apply(Object.fromEntries(Object.keys(changes).map((name) => [name, before[name]])));
  }
}
