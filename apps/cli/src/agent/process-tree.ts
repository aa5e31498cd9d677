/** Whether the other end of a connection on loopback is a process under this one. Linux alone tells. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';

/** `0100007F:1E61`, as /proc/net/tcp has addresses: each 32 bits in the byte order of the machine. */
function procAddress(address: string, port: number): string {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const ip = address.startsWith('::ffff:') ? address.slice(7) : address;
  if (ip === '::1') return `00000000000000000000000001000000:${hexPort}`;
  const bytes = ip.split('.').map((part) => Number(part).toString(16).toUpperCase().padStart(2, '0'));
  return `${bytes.reverse().join('')}:${hexPort}`;
}

/** The inode of the peer's socket; null: there is none, or it is not of this machine. */
async function peerInode({
  remoteAddress = '',
  remotePort = 0,
  localAddress = '',
  localPort = 0,
}: IncomingMessage['socket']): Promise<string | null> {
  const own = procAddress(remoteAddress, remotePort);
  const other = procAddress(localAddress, localPort);
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const lines = (await readFile(table, 'utf8').catch(() => '')).split('\n');
    for (const line of lines) {
      const [, local = '', remote = '', , , , , , , inode = '0'] = line.trim().split(/\s+/);
      // An IPv4 connection of a program that speaks IPv6 sockets stands in tcp6, as ::ffff:a.b.c.d.
      const isPeer = (local === own && remote === other) || (local.endsWith(own) && remote.endsWith(other) && local.includes('FFFF0000'));
      if (isPeer && inode !== '0') return inode;
    }
  }
  return null;
}

/** Ids of all processes under this one. */
async function descendants(root: number): Promise<number[]> {
  const children = new Map<number, number[]>();
  const ids = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name)).map(Number);
  await Promise.all(
    ids.map(async (id) => {
      const stat = await readFile(`/proc/${id}/stat`, 'latin1').catch(() => '');
      // The name in parentheses may have anything in it.
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      if (stat !== '') children.set(parent, [...(children.get(parent) ?? []), id]);
    }),
  );
  const found: number[] = [];
  for (const queue = [root]; queue.length > 0;) {
    for (const child of children.get(queue.pop()!) ?? []) {
      found.push(child);
      queue.push(child);
    }
  }
  return found;
}

/** For `allows` of the helper: who is not a process under `root` has to have the password. */
export function byProcessTree(root: number): (request: IncomingMessage) => Promise<boolean> {
  return async ({ socket }) => {
    const inode = await peerInode(socket);
    if (inode === null) return false;
    const link = `socket:[${inode}]`;
    for (const id of await descendants(root)) {
      const folder = `/proc/${id}/fd`;
      const names = await readdir(folder).catch(() => []);
      const links = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
      if (links.includes(link)) return true;
    }
    return false;
  };
}
