/**
 * Writes the lines of one worker's access log, many at a time, without ever making a request wait.
 *
 *     NO FILE ──open──▶ READY ──100 ms or 64 KiB──▶ WRITING ──▶ READY
 *        ▲  └─ refused: again in 1 s                  │ EAGAIN: again in 5 to 500 ms
 *        └────────────── failed: 1 s ─────────────────┘
 *
 * Lines gather in the batch. One write, or one opening, is under way at a time, in a thread of Node's pool; what comes meanwhile waits.
 * What waits and what is being written is never more than `buffer` bytes: a line beyond that is dropped and counted, because the
 * alternatives are to let requests wait for a disk or to grow until the process dies.
 *
 * A write that fails costs the lines in it and closes the file; a second later it is opened anew, and the lines that have come meanwhile are
 * written. So a full disk loses lines and nothing else, and logging resumes by itself. A file that cannot be opened is tried every second;
 * where it was to replace one (`reopen`), the old one is used until then. What went wrong is logged at most once a minute.
 *
 * A line is copied into the batch at once: kept as text, with the heads that it quotes, it would have to be moved by the garbage collector
 * time and again. There are two buffers, one to gather in and one to write from, which take turns.
 *
 * Lines that wait when a process is killed are lost, at most 100 ms of them as long as the disk is well; `close` writes them.
 *
 * @hotpath bench/micro/access-log.ts
 */
import { write } from 'node:fs';
import type { Clock, Interval } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { type LogFile, openLogFile } from './log-file.ts';

/** Longest that a line waits for company, milliseconds. */
const FLUSH_TIME = 100;
const FLUSH_SIZE = 65_536;
const RETRY_TIME = 1_000;
/** First and longest pause before a write that could not be taken is tried again, milliseconds. */
const LEAST_PAUSE = 5;
const MOST_PAUSE = 500;
/** Longest that closing may take, milliseconds. */
const CLOSE_TIME = 1_000;
const COMPLAINT_TIME = 60_000;
const NEWLINE = 10;
/** Size of a new buffer, and the largest that is kept to be used again. */
const FIRST_SIZE = 16_384;
const KEPT_SIZE = 2 * FLUSH_SIZE;
const NOTHING = Buffer.alloc(0);

export interface LogWriterOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: { logLinesDropped(count: number): void };
}

export class LogWriter {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #counters: LogWriterOptions['counters'];
  #path = '';
  /** Whether lines are to come. */
  #on = false;
  #limit = 0;
  #flushSize = 0;
  #file: LogFile | null = null;
  /** What no write has been begun with, in bytes and in lines. */
  #batch = NOTHING;
  #gathered = 0;
  #lines = 0;
  /** What is being written: the buffer, from where on it has not been, and up to where it is to be. */
  #piece = NOTHING;
  #from = 0;
  #end = 0;
  #busy = false;
  /** The file at `#path` is to be opened although there is one. */
  #replacing = false;
  /** What waits was meant for the file that is to be replaced. */
  #owed = false;
  /** The file is to be closed when everything is written. */
  #shutting = false;
  #closed = false;
  #onClosed: (() => void) | null = null;
  /** Clock times before which nothing is opened, and nothing is written. */
  #openAfter = Number.NEGATIVE_INFINITY;
  #writeAfter = Number.NEGATIVE_INFINITY;
  #pause = LEAST_PAUSE;
  /** Whether the last write stopped within a line, which is then no line. */
  #torn = false;
  #timer: Interval | null = null;
  #complainAfter = Number.NEGATIVE_INFINITY;
  #dropped = 0;
  readonly #onWritten = (error: NodeJS.ErrnoException | null, bytes: number): void => this.#written(error, bytes);
  readonly #onDue = (): void => this.#due();

  constructor(options: LogWriterOptions) {
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#counters = options.counters;
  }

  /** Bytes that wait or are being written. */
  get waiting(): number {
    return this.#gathered + this.#end - this.#from;
  }

  /** Whether a write or an opening is under way. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Writes to `path` from here on; what waits goes where it was meant to go. @param limit most bytes that wait. */
  open(path: string, limit: number): void {
    this.#limit = limit;
    this.#flushSize = Math.min(FLUSH_SIZE, limit >> 1);
    this.#on = true;
    this.#shutting = false;
    if (path === this.#path) return;
    this.#path = path;
    this.#torn = false;
    this.#replace();
  }

  /** Writes what waits and opens the path anew. */
  reopen(): void {
    if (this.#on) this.#replace();
  }

  #replace(): void {
    this.#replacing = true;
    this.#owed = this.waiting > 0;
    this.#openAfter = Number.NEGATIVE_INFINITY;
    this.#advance();
  }

  /** Closes the file when everything has been written. */
  shut(): void {
    this.#on = false;
    this.#replacing = false;
    this.#shutting = true;
    this.#advance();
  }

  /** The same for good. Resolves when it is done; what cannot be written within a second is dropped. */
  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const deadline = this.#clock.setInterval(() => this.#giveUp(), CLOSE_TIME);
      this.#onClosed = () => {
        deadline.stop();
        resolve();
      };
      this.#closed = true;
      this.#shutting = true;
      this.#replacing = false;
      this.#advance();
    });
  }

  /** @param line ASCII, newline included. */
  add(line: string): void {
    if (this.#closed || this.waiting + line.length > this.#limit) {
      this.#drop(1);
      if (!this.#closed) this.#complain('cannot keep up', null);
      return;
    }
    if (this.#gathered + line.length > this.#batch.length) this.#grow(line.length);
    this.#gathered += this.#batch.write(line, this.#gathered, 'latin1');
    this.#lines++;
    if (this.#gathered >= this.#flushSize) this.#advance();
    else this.#later(FLUSH_TIME);
  }

  /** Makes room for `more` bytes, twice the room as a rule: what waits for a slow disk is not copied at every line. */
  #grow(more: number): void {
    const twice = Math.min(Math.max(this.#batch.length * 2, FIRST_SIZE), this.#limit);
    const room = Math.max(twice, this.#gathered + more);
    const grown = Buffer.allocUnsafeSlow(room);
    this.#batch.copy(grown, 0, 0, this.#gathered);
    this.#batch = grown;
  }

  #later(ms: number): void {
    if (this.#timer === null && !this.#busy) this.#timer = this.#clock.setInterval(this.#onDue, ms);
  }

  #due(): void {
    this.#timer?.stop();
    this.#timer = null;
    this.#advance();
  }

  /** Does what is to be done next, unless something is under way; called whenever that may have changed. */
  #advance(): void {
    if (this.#busy) return;
    const now = this.#clock.now();
    const wanted = this.#replacing || (this.#file === null && this.waiting > 0);
    const first = this.#owed && this.#file !== null && this.waiting > 0 && now >= this.#writeAfter;
    if (wanted && !first && now >= this.#openAfter) return this.#open();
    if (this.waiting === 0) {
      if (this.#shutting) this.#finish();
    } else if (this.#file === null) this.#later(this.#openAfter - now);
    else if (now < this.#writeAfter) this.#later(this.#writeAfter - now);
    else this.#write(this.#file);
  }

  #open(): void {
    const replacing = this.#replacing;
    // Whoever asks for it while this goes on asks for another time: the file may be moved away once more.
    this.#replacing = false;
    this.#busy = true;
    openLogFile(this.#path, (error, file) => {
      this.#busy = false;
      if (file === null) {
        this.#replacing ||= replacing && this.#on;
        this.#openAfter = this.#clock.now() + RETRY_TIME;
        this.#complain('cannot be opened', error);
      } else {
        this.#file?.close();
        this.#file = file;
        this.#owed &&= this.#replacing;
        this.#writeAfter = Number.NEGATIVE_INFINITY;
      }
      this.#settle();
    });
  }

  /** After something that was under way: goes on at once where there is reason to, else with the next batch. */
  #settle(): void {
    const idle = this.#from === this.#end && !this.#replacing && !this.#shutting && this.#file !== null;
    if (idle && this.#gathered < this.#flushSize) {
      if (this.#gathered > 0) this.#later(FLUSH_TIME);
    } else this.#advance();
  }

  #write(file: LogFile): void {
    if (this.#from === this.#end) this.#takeTurns();
    this.#busy = true;
    const length = wholeLines(this.#piece, this.#from, this.#end, file.whole);
    write(file.fd, this.#piece, this.#from, length, null, this.#onWritten);
  }

  #takeTurns(): void {
    this.#from = 0;
    if (this.#torn) {
      this.#torn = false;
      this.#piece = Buffer.from('\n');
      this.#end = 1;
      return;
    }
    const spare = this.#piece;
    this.#piece = this.#batch;
    this.#end = this.#gathered;
    this.#batch = spare.length > KEPT_SIZE ? NOTHING : spare;
    this.#gathered = 0;
    this.#lines = 0;
    this.#owed = false;
  }

  #written(error: NodeJS.ErrnoException | null, bytes: number): void {
    this.#busy = false;
    // Given up meanwhile.
    if (this.#from === this.#end) return;
    if (error === null) {
      this.#pause = LEAST_PAUSE;
      this.#from += bytes;
    } else if (error.code === 'EAGAIN') {
      this.#writeAfter = this.#clock.now() + this.#pause;
      this.#pause = Math.min(this.#pause * 2, MOST_PAUSE);
    } else {
      this.#fail(error);
    }
    this.#settle();
  }

  #fail(error: Error): void {
    this.#torn = this.#from > 0 && this.#piece[this.#from - 1] !== NEWLINE;
    this.#dropPiece();
    this.#file?.close();
    this.#file = null;
    this.#openAfter = this.#clock.now() + RETRY_TIME;
    this.#complain('cannot be written', error);
  }

  #dropPiece(): void {
    let lines = 0;
    for (let at = this.#from; at < this.#end; at++) if (this.#piece[at] === NEWLINE) lines++;
    // A write that is given up may still read the buffer.
    this.#piece = NOTHING;
    this.#from = 0;
    this.#end = 0;
    this.#drop(lines);
  }

  #drop(lines: number): void {
    this.#counters.logLinesDropped(lines);
    this.#dropped += lines;
  }

  /** Says what is wrong, and how many lines have been dropped since it was last said. */
  #complain(what: string, error: Error | null): void {
    const now = this.#clock.now();
    if (now < this.#complainAfter) return;
    this.#complainAfter = now + COMPLAINT_TIME;
    const message = error === null ? `the access log ${what}` : `the access log ${what}: ${error.message}`;
    this.#logger.warn('access_log_failed', { path: this.#path, message, dropped: this.#dropped });
    this.#dropped = 0;
  }

  #giveUp(): void {
    this.#dropPiece();
    this.#drop(this.#lines);
    this.#gathered = 0;
    this.#lines = 0;
    this.#finish();
  }

  #finish(): void {
    this.#timer?.stop();
    this.#timer = null;
    this.#file?.close();
    this.#file = null;
    this.#shutting = this.#closed;
    this.#onClosed?.();
    this.#onClosed = null;
  }
}

/** Length of what may be written at once: all, or as many lines as fit. A line that is longer than that is written by itself. */
function wholeLines(piece: Buffer, from: number, end: number, most: number): number {
  if (end - from <= most) return end - from;
  const last = piece.lastIndexOf(NEWLINE, from + most - 1);
  return (last >= from ? last : piece.indexOf(NEWLINE, from)) + 1 - from;
}
