/** Whether NATIVE_REQUIRED asks for a failure where the native backend cannot run. */
export function isNativeRequired(env: NodeJS.ProcessEnv = process.env): boolean {
  return !['', '0', 'false', undefined].includes(env['NATIVE_REQUIRED']);
}
