/**
 * A page that is drawn again and again: in place on a terminal, one block below the other where there is none.
 *
 * In place means: cursor home, each line followed by clear-to-end-of-line, then clear-to-end-of-screen. Nothing is erased before it is overwritten,
 * so the page does not flicker. Automatic wrapping is off meanwhile, and lines beyond the window's height are left out: either would scroll
 * the window, and home would no longer be the top of the page. `close` undoes all of it, and must be called on every way out.
 */
import type { Io, Terminal } from '../command.ts';

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const NO_WRAP = '\x1b[?7l';
const WRAP = '\x1b[?7h';
const HOME = '\x1b[H';
const END_OF_LINE = '\x1b[K';
const END_OF_SCREEN = '\x1b[J';

export interface Screen {
  draw(page: string): void;
  close(): void;
}

export function openScreen(io: Io): Screen {
  return io.terminal === undefined ? new Scroll(io) : new InPlace(io, io.terminal);
}

class InPlace implements Screen {
  readonly #io: Io;
  readonly #terminal: Terminal;
  #opened = false;

  constructor(io: Io, terminal: Terminal) {
    this.#io = io;
    this.#terminal = terminal;
  }

  draw(page: string): void {
    const opening = this.#opened ? '' : HIDE_CURSOR + NO_WRAP;
    this.#opened = true;
    // The last row stays empty: a line break there would scroll.
    const lines = page
      .replace(/\n$/, '')
      .split('\n')
      .slice(0, Math.max(1, this.#terminal.rows() - 1));
    this.#io.out(`${opening}${HOME}${lines.map((line) => `${line}${END_OF_LINE}\n`).join('')}${END_OF_SCREEN}`);
  }

  close(): void {
    if (this.#opened) this.#io.out(WRAP + SHOW_CURSOR);
    this.#opened = false;
  }
}

class Scroll implements Screen {
  readonly #io: Io;
  #drawn = 0;

  constructor(io: Io) {
    this.#io = io;
  }

  draw(page: string): void {
    this.#io.out(`${this.#drawn === 0 ? '' : '\n'}${page}`);
    this.#drawn += 1;
  }

  close(): void {}
}
