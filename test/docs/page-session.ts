/**
 * A page's shell blocks run one after the other, as a reader would paste them, in a copy of the tree.
 *
 * The copy is the sources, the configurations and a link to `node_modules`, so that a page may change files. Every port that the pages speak of is
 * replaced by a free one, in the copy and in the blocks alike: the tests neither need the usual ports nor meet a demo that somebody runs.
 * All blocks share one bash, because pages set variables in one block and use them in the next. What would hold the terminal (a server)
 * gets a process of its own and is waited for; it ends when another one takes its place, as with Ctrl-C, or with the session. Lines that
 * install, clone or test are left out, since that is done already, or would do this again.
 *
 * A command that fails is reported with its block, also where it is not the last; curl's end at `--max-time` is none, and nor is one whose status the
 * page prints. With `SLUICE_DOCS_REAL_TIME=1` the steps of the demo's rollout last as long as it says, otherwise two seconds each.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { plainEnvironment } from '../peers/commands.ts';
import { freePort } from '../peers/free-port.ts';
import { ROOT, readPage } from './doc-tree.ts';
import { blocksOf } from './markdown.ts';

export interface RunBlock {
  readonly line: number;
  /** Without the lines that were left out and the servers. */
  readonly text: string;
  readonly output: string;
  readonly status: number;
  readonly seconds: number;
  /** Commands that ended with another status than 0 and should not have. */
  readonly failures: readonly string[];
}

/** Reached only where something hangs. */
const BLOCK_LIMIT = 90_000;
const LOOK_EVERY = 50;

const PORTS = ['8080', '9901', '3001', '3002', '3003', '3004'];
const PORT = new RegExp(`(?<![\\w.])(${PORTS.join('|')})(?![\\w.]\\w)`, 'g');

const COPIED = ['src', 'config', 'package.json', 'tsconfig.json'];

/** What is done before, takes a network, or would run these tests from within themselves. */
const LEFT_OUT =
  /^(npm (ci|install|test|run (bench|fuzz|soak|simulate|build))\b|git clone |cd sluice\b|sudo |docker |kubectl |open )/;
const SERVER = /^(npm start\b|npm run (?:--silent )?sluice -- (?:demo|run)\b|sluice (?:demo|run)\b)/;

export class PageSession {
  readonly folder: string;
  readonly #ports = new Map<string, string>();
  readonly #servers = new Map<'proxy' | 'upstreams', ChildProcess>();
  #shell: ChildProcess | null = null;
  #blocks = 0;

  private constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'sluice-page-'));
  }

  static async open(t: Test): Promise<PageSession> {
    const session = new PageSession();
    t.teardown(() => session.#close());
    for (const port of PORTS) session.#ports.set(port, String(await freePort()));
    for (const name of COPIED) {
      if (existsSync(join(ROOT, name))) cpSync(join(ROOT, name), join(session.folder, name), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(session.folder, 'node_modules'));
    for (const path of globSync('{src,config}/**/*.{ts,yaml,yml}', { cwd: session.folder })) {
      const file = join(session.folder, path);
      const text = readFileSync(file, 'utf8');
      const placed = session.placed(path.startsWith('src/cli/demo') ? hastened(text) : text);
      if (placed !== text) writeFileSync(file, placed);
    }
    return session;
  }

  /** A text with the ports of this session. */
  placed(text: string): string {
    return text.replace(PORT, (port) => this.#ports.get(port) ?? port);
  }

  /** Runs all blocks of a page and tells what became of each. YAML that names its file in its first line is written there. */
  async run(page: string): Promise<readonly RunBlock[]> {
    const results: RunBlock[] = [];
    for (const { info, text, line } of blocksOf(readPage(page))) {
      const name = /^# (\S+\.ya?ml)$/m.exec(text.split('\n')[0] ?? '')?.[1];
      if (info[0] === 'yaml' && name !== undefined) writeFileSync(join(this.folder, name), this.placed(text));
      if (info[0] !== 'sh') continue;
      const lines = this.placed(text).split('\n');
      const own: string[] = [];
      for (const each of lines) {
        if (LEFT_OUT.test(each)) continue;
        if (!SERVER.test(each)) own.push(each);
        else {
          // What stands above a server is done before it starts.
          if (own.some(isCommand)) results.push(await this.#block(line, own.splice(0).join('\n')));
          await this.#serve(each.replace(/ &$/, ''));
        }
      }
      if (own.some(isCommand)) results.push(await this.#block(line, own.join('\n')));
    }
    return results;
  }

  async #serve(command: string): Promise<void> {
    const kind = command.includes('--upstreams') ? 'upstreams' : 'proxy';
    await this.#end(this.#servers.get(kind), 'SIGINT');
    const child = spawn('bash', ['-c', `exec ${command}`], {
      ...{ cwd: this.folder, env: this.#environment(), detached: true },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#servers.set(kind, child);
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        printed += chunk.toString();
      });
    }
    const ports = kind === 'upstreams' ? ['3001', '3003'] : ['8080', '9901'];
    for (let waited = 0; ; waited += LOOK_EVERY) {
      const open = await Promise.all(ports.map((port) => accepts(Number(this.#ports.get(port)))));
      if (open.every(Boolean)) return;
      if (child.exitCode !== null || waited > BLOCK_LIMIT) throw new Error(`${command} does not serve:\n${printed}`);
      await pause(LOOK_EVERY);
    }
  }

  async #block(line: number, text: string): Promise<RunBlock> {
    const number = ++this.#blocks;
    const began = performance.now();
    const file = (kind: string): string => join(this.folder, `.block-${number}.${kind}`);
    writeFileSync(file('sh'), text);
    writeFileSync(file('failed'), '');
    const shell = this.#shell ?? this.#start();
    shell.stdin?.write(
      `failed=${file('failed')}; source ${file('sh')} </dev/null >${file('out')} 2>&1; echo $? >${file('rc')}.new; mv ${file('rc')}.new ${file('rc')}\n`,
    );
    for (let waited = 0; !existsSync(file('rc')); waited += LOOK_EVERY) {
      if (shell.exitCode !== null)
        throw new Error(`the shell ended in the block of line ${line}:\n${readFileSync(file('out'))}`);
      if (waited > BLOCK_LIMIT)
        throw new Error(`the block of line ${line} does not end:\n${readFileSync(file('out'))}`);
      await pause(LOOK_EVERY);
    }
    const output = readFileSync(file('out'), 'utf8');
    const failed = readFileSync(file('failed'), 'utf8').split('\n').filter(Boolean);
    return {
      ...{ line, text, output, status: Number(readFileSync(file('rc'), 'utf8')) },
      seconds: (performance.now() - began) / 1_000,
      failures: failed.filter((each) => !isMeant(each, text, output)),
    };
  }

  #start(): ChildProcess {
    const shell = spawn('bash', ['--noprofile', '--norc'], {
      ...{ cwd: this.folder, env: this.#environment(), detached: true },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    // Functions keep failures to themselves; who calls them sees the status.
    shell.stdin?.write('trap \'echo "$? $BASH_COMMAND" >>"$failed"\' ERR\n');
    this.#shell = shell;
    return shell;
  }

  /** As in a terminal where `npm ci` has just been run. */
  #environment(): NodeJS.ProcessEnv {
    const environment = plainEnvironment();
    for (const name of Object.keys(environment)) if (/^(npm_|SLUICE_|NO_COLOR)/.test(name)) delete environment[name];
    // The pages start the program a dozen times, and its types need to be stripped once.
    const NODE_COMPILE_CACHE = join(this.folder, '.compiled');
    return {
      ...environment,
      NODE_COMPILE_CACHE,
      PATH: `${join(this.folder, 'node_modules/.bin')}${delimiter}${process.env.PATH}`,
    };
  }

  async #end(child: ChildProcess | null | undefined, signal: NodeJS.Signals): Promise<void> {
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
    const tell = (which: NodeJS.Signals): void => {
      try {
        process.kill(-(child.pid ?? 0), which);
      } catch {
        // The group has ended meanwhile.
      }
    };
    tell(signal);
    const late = setTimeout(() => tell('SIGKILL'), 10_000);
    await ended;
    clearTimeout(late);
  }

  async #close(): Promise<void> {
    await this.#end(this.#shell, 'SIGKILL');
    for (const child of this.#servers.values()) await this.#end(child, 'SIGINT');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const isCommand = (line: string): boolean => line.trim() !== '' && !line.trim().startsWith('#');

/** `28 curl -N --max-time 3 …` ends as it should; so does a command whose status the block prints, and `source`, which is only how it is run. */
function isMeant(failure: string, text: string, output: string): boolean {
  const [, status = '', command = ''] = /^(\d+) (.*)$/.exec(failure) ?? [];
  if (command.startsWith('source ')) return true;
  if (status === '28' && command.includes('--max-time')) return true;
  return text.includes('$?') && new RegExp(`\\b${status}$`, 'm').test(output);
}

const hastened = (text: string): string =>
  process.env.SLUICE_DOCS_REAL_TIME === undefined ? text.replaceAll(/\bfor: \d+s\b/g, 'for: 2s') : text;

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
