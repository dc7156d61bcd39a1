/**
 * The id of a request: the client's own X-Request-Id where it is a sane token, else a new one.
 *
 * It goes into answers, logs and the audit, so what is taken over is short and printable; anything else is replaced rather than
 * refused, because a strange id is no reason not to roll back.
 */
import { randomUUID } from 'node:crypto';

const SANE = /^[A-Za-z0-9._~:+/=@-]{1,128}$/;

export const requestIdOf = (field: string | string[] | undefined): string =>
  typeof field === 'string' && SANE.test(field) ? field : randomUUID();
