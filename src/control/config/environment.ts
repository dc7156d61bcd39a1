/**
 * `${NAME}` and `${NAME:-default}` in configuration values, as a shell has them; `$$` is a dollar sign.
 *
 * A variable that is unset and has no default is a fault, not an empty string: an endpoint that quietly becomes `http://:3000`
 * is found in production. As in a shell, `:-` also stands in for an empty variable. A lone `$` stays as it is.
 *
 * A text that somebody sends to be checked may not name any variable it likes (`allowed`): messages quote values that do not fit, so
 * that `workers: ${ADMIN_TOKEN}` would read a secret out of the environment.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Expansion {
  readonly text: string;
  readonly faults: readonly string[];
}

const REFERENCE = /\$\$|\$\{([^}]*)(\}?)/g;
const BODY = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/** Names of the variables that a text refers to. */
export const variablesIn = (text: string): readonly string[] =>
  [...text.matchAll(REFERENCE)].flatMap(([, body]) => BODY.exec(body ?? '')?.[1] ?? []);

const SECRET = /\benv["']?\s*:\s*["']?([A-Za-z_][A-Za-z0-9_]*)/g;

/** Names of the variables that the secrets of a text come from, and perhaps some that only look so. */
export const secretVariablesIn = (text: string): readonly string[] =>
  [...text.matchAll(SECRET)].flatMap(([, name]) => name ?? []);

/** @param allowed names that may be read; null: all. */
export function expandEnvironment(
  text: string,
  env: Environment,
  allowed: ReadonlySet<string> | null = null,
): Expansion {
  const faults: string[] = [];
  const expanded = text.replace(REFERENCE, (whole: string, body: string | undefined, end: string) => {
    if (whole === '$$') return '$';
    const match = end === '' ? null : BODY.exec(body ?? '');
    if (match === null) {
      faults.push(`cannot read "${whole}": write \${NAME} or \${NAME:-default}, or $$ for a dollar sign`);
      return whole;
    }
    const [, name = '', fallback] = match;
    // What every object inherits (`toString`) is no variable.
    const mayRead = allowed === null || allowed.has(name);
    const value = mayRead && Object.hasOwn(env, name) ? env[name] : undefined;
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (!mayRead) {
      faults.push(
        `a text that is only checked may name the variables of the running files; write \${${name}:-default}`,
      );
      return whole;
    }
    if (value === undefined) {
      faults.push(`environment variable ${name} is not set; set it or write \${${name}:-default}`);
      return whole;
    }
    return value;
  });
  return { text: expanded, faults };
}
