import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** 127.0.0.1, ::1 and ::ffff:127.0.0.1 as /proc/net writes them, and the nowhere of sockets that only listen. */
const here = /^(?:0100007F|0{24}01000000|0{16}FFFF00000100007F|0{8}|0{32}):/;

const attempt = <T>(read: () => T, otherwise: T): T => {
  try {
    return read();
  } catch {
    // the process, or its socket, has ended meanwhile
    return otherwise;
  }
};

/**
 * Addresses outside of this machine that processes have sockets to, on Linux.
 *
 * @param marker in the command line of the first of them; their children count as well
 */
export function foreignSockets(marker: string): { readonly sockets: number; readonly foreign: string[] } {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const lineOf = (pid: string): string => attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '');
  const parentOf = (pid: string): string =>
    attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) \S+ /s, ''), '').split(' ')[0];
  const own = new Set(processes.filter((pid) => lineOf(pid).includes(marker)));
  // a process starts after its parent, and is listed after it
  for (const pid of processes) if (own.has(parentOf(pid))) own.add(pid);
  const sockets = new Set(
    [...own].flatMap((pid) =>
      attempt(() => readdirSync(`/proc/${pid}/fd`), []).flatMap((fd) => {
        const link = attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`), '');
        return /^socket:\[(\d+)\]/.exec(link)?.[1] ?? [];
      }),
    ),
  );
  const foreign = ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((kind) =>
    readFileSync(`/proc/net/${kind}`, 'utf8')
      .split('\n')
      .slice(1)
      .flatMap((line) => {
        const [, , remote = '', , , , , , , inode = ''] = line.trim().split(/\s+/);
        return sockets.has(inode) && !here.test(remote) ? [`${kind} ${remote}`] : [];
      }),
  );
  return { sockets: sockets.size, foreign };
}
