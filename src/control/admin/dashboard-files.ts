/**
 * The dashboard's page and what it loads: a few small files that are built beforehand, read once, and answered from memory.
 *
 * There is no data in them, so anyone may have them; the data comes by calls that ask for a token. Each is compressed once, when somebody first wants
 * it so, and has a strong entity tag per coding: browsers keep the files and ask each time (`no-cache`), which costs them a 304 and never shows a
 * page of the release before. The files have fixed names for the same reason: a release that is rolled back finds its own.
 *
 * They are answered all or none. Where one is missing (a checkout in which the dashboard was never built) Sluice works as always, `/`
 * says to a browser what to do, and the other addresses are not there.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { OperationError } from '../problems.ts';
import { type Coding, preferredCoding } from './accept.ts';
import { DASHBOARD_HEADERS } from './answer-headers.ts';
import type { Answer, PageFiles } from './call.ts';
import { matchesWeakly, parseTags, quoted } from './entity-tag.ts';

/** The folder beside this one in sources and in a release alike. */
export const BUNDLE = new URL('../../dashboard/bundle/', import.meta.url);

const PAGE = 'index.html';
const TYPES: Readonly<Record<string, string>> = {
  [PAGE]: 'text/html; charset=utf-8',
  'app.js': 'text/javascript; charset=utf-8',
  'app.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
};

const NOT_BUILT =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>Sluice</title><p>The dashboard was not built. Run ' +
  '<code>npm run dashboard</code> in the folder of Sluice and start it again.</p>' +
  '<p>Everything else works: <a href="/docs">the API</a>.</p></html>\n';

/** Lists of what an address depends on; `Origin` because configured origins get other fields. */
const VARY_FILE = 'accept-encoding, origin';
const VARY_PAGE = 'accept, accept-encoding, origin';

const compressors: Readonly<Record<Exclude<Coding, 'identity'>, (bytes: Buffer) => Promise<Buffer>>> = {
  // The best that brotli can do takes thirty times as long as this, for less than a tenth.
  br: (bytes) => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  gzip: (bytes) => promisify(gzip)(bytes, { level: 9 }),
};

export class DashboardFiles implements PageFiles {
  readonly #files: ReadonlyMap<string, DashboardFile>;

  /** @param folder ends in a slash. */
  static async read(folder: URL): Promise<DashboardFiles> {
    const names = Object.keys(TYPES);
    const read = await Promise.all(names.map((name) => readFile(new URL(name, folder)).catch(() => null)));
    const files = names.flatMap((name, at) => {
      const bytes = read[at] ?? null;
      return bytes === null ? [] : [[name, new DashboardFile(TYPES[name]!, bytes)] as const];
    });
    return new DashboardFiles(new Map(files.length === names.length ? files : []));
  }

  private constructor(files: ReadonlyMap<string, DashboardFile>) {
    this.#files = files;
  }

  /** The answer at `/`, to a browser. */
  async page(headers: IncomingHttpHeaders): Promise<Answer> {
    const file = this.#files.get(PAGE);
    const fields = { ...DASHBOARD_HEADERS, vary: VARY_PAGE };
    if (file === undefined) return { type: TYPES[PAGE]!, headers: fields, body: NOT_BUILT };
    return file.answer(headers, fields);
  }

  /** The answer at `/dashboard/{name}`. @throws OperationError not_found */
  async file(name: string, headers: IncomingHttpHeaders): Promise<Answer> {
    const file = name === PAGE ? undefined : this.#files.get(name);
    if (file !== undefined) return file.answer(headers, { ...DASHBOARD_HEADERS, vary: VARY_FILE });
    const hint = this.#files.size === 0 ? 'the dashboard was not built: npm run dashboard' : 'the dashboard is at /';
    throw new OperationError('not_found', `There is no such file; ${hint}.`);
  }
}

class DashboardFile {
  readonly #type: string;
  readonly #bytes: Buffer;
  readonly #digest: string;
  readonly #coded = new Map<Coding, Promise<Buffer>>();

  constructor(type: string, bytes: Buffer) {
    this.#type = type;
    this.#bytes = bytes;
    this.#digest = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  }

  async answer(headers: IncomingHttpHeaders, given: Readonly<Record<string, string>>): Promise<Answer> {
    const coding = preferredCoding(headers['accept-encoding']);
    const etag = `${this.#digest}-${coding}`;
    const fields = { ...given, etag: quoted(etag) };
    const tags = parseTags(headers['if-none-match'] ?? '');
    if (tags !== null && matchesWeakly(tags, etag)) return { status: 304, headers: fields };
    return {
      type: this.#type,
      headers: { ...fields, ...(coding !== 'identity' && { 'content-encoding': coding }) },
      body: await this.#in(coding),
    };
  }

  #in(coding: Coding): Promise<Buffer> {
    const known = this.#coded.get(coding);
    if (known !== undefined) return known;
    const bytes = coding === 'identity' ? Promise.resolve(this.#bytes) : compressors[coding](this.#bytes);
    this.#coded.set(coding, bytes);
    return bytes;
  }
}
