import { frameworkNames, isFrameworkName, type FrameworkName } from '../base/framework-names';
import { Framework, type FrameworkOptions } from '../sides/frameworks/index';
import { parseSideNames, sideSource, type OpenSide, type SideName, type SideSource } from '../sides/index';
import { frameworkImplementation } from './implementation';

/** A side of this package, or a framework in a Python of the user, which runs only where it is named. */
export type AnySideName = SideName | FrameworkName;

/**
 * Reads `tensorflow,keras`, as --backends is given.
 *
 * @throws UsageError where a name is missing, or is none of a backend
 */
export function parseAnySides(list: string): AnySideName[] {
  return parseSideNames(list, frameworkNames);
}

/** @param required whether the run must end with exit code 3 where this machine does not have it */
export function anySideSource(
  name: AnySideName,
  required: boolean,
  options: FrameworkOptions = {},
): SideSource {
  if (!isFrameworkName(name)) return sideSource(name, required);
  return {
    name,
    required,
    open: async (): Promise<OpenSide> => {
      const framework = await Framework.start(name, options);
      return { implementation: frameworkImplementation(name, framework), version: framework.version };
    },
  };
}
