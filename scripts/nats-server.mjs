/**
 * The nats-server that tests run against: the one of this machine, or else the Debian package of
 * that name, unpacked into node_modules/.cache without installing it, so that no service starts and
 * no rights are needed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL('../node_modules/.cache/nats-server', import.meta.url));
const unpacked = join(cache, 'usr/sbin/nats-server');

function installed() {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin'];
  const paths = folders.map((folder) => join(folder, 'nats-server'));
  return [process.env.NATS_SERVER, ...paths, unpacked].find((path) => path && existsSync(path));
}

function run(command, args, cwd) {
  return spawnSync(command, args, { cwd, stdio: 'ignore' }).status === 0;
}

function unpack() {
  mkdirSync(cache, { recursive: true });
  const download = () => run('apt-get', ['download', 'nats-server'], cache);
  // Without lists of packages there is nothing to download yet.
  if (!download() && !(run('apt-get', ['update'], cache) && download())) return false;
  const file = readdirSync(cache).find((name) => name.endsWith('.deb'));
  return file !== undefined && run('dpkg-deb', ['-x', file, '.'], cache);
}

/** Path of a nats-server; undefined where there is none and none could be had. */
export function findOrUnpackServer() {
  return installed() ?? (unpack() ? installed() : undefined);
}
