/**
 * Changes that a person makes: asked for once more where they cannot be taken back by a click, done, and told of in a line at the foot of the page.
 *
 *     button ─▶ question (what will happen, reason) ─▶ call ─▶ notice, with Undo where there is one
 *                     └─ Esc, Cancel ─▶ nothing
 *
 * A call that fails changes nothing on the page; what Sluice said is shown until it is read.
 */
import type { ComponentChildren } from 'preact';
import { CallFailed } from '../api/client.ts';
import { createStore } from './store.ts';

export interface Question {
  readonly title: string;
  /** What will happen. */
  readonly body: ComponentChildren;
  /** What the button says: a verb. */
  readonly confirm: string;
  readonly danger?: boolean;
  /** Whether a reason is asked for, and whether there must be one. */
  readonly reason?: 'optional' | 'required';
}

export interface Answered {
  readonly reason: string;
}

export interface Asked extends Question {
  readonly answer: (answer: Answered | null) => void;
}

export interface Notice {
  readonly id: number;
  readonly kind: 'done' | 'failed';
  readonly text: string;
  readonly undo?: () => void;
}

export const question = createStore<Asked | null>(null);
export const notices = createStore<readonly Notice[]>([]);

/** @returns null where the person thought better of it. */
export function ask(asked: Question): Promise<Answered | null> {
  question.get()?.answer(null);
  return new Promise((resolve) => {
    question.set({
      ...asked,
      answer(answer) {
        question.set(null);
        resolve(answer);
      },
    });
  });
}

let lastId = 0;
const MOST = 4;

export function notify(kind: Notice['kind'], text: string, undo?: () => void): void {
  lastId += 1;
  const notice: Notice = { id: lastId, kind, text, ...(undo !== undefined && { undo }) };
  notices.set([...notices.get().slice(-(MOST - 1)), notice]);
}

export const dismiss = (id: number): void => notices.set(notices.get().filter((notice) => notice.id !== id));

/** Runs a change. @returns what it answered, null where it failed, which has been told then. */
export async function attempt<T>(change: () => Promise<T>): Promise<T | null> {
  try {
    return await change();
  } catch (error) {
    notify('failed', error instanceof CallFailed ? error.message : String(error));
    return null;
  }
}
