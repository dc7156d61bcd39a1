/**
 * `${NAME}` and `${NAME:-default}` in configuration values, as a shell has them; `$$` is a dollar sign.
 *
 * A variable that is unset and has no default is a fault, not an empty string: an endpoint that quietly becomes `http://:3000`
 * is found in production. As in a shell, `:-` also stands in for an empty variable. A lone `$` stays as it is.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Expansion {
  readonly text: string;
  readonly faults: readonly string[];
}

const REFERENCE = /\$\$|\$\{([^}]*)(\}?)/g;
const BODY = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

export function expandEnvironment(text: string, env: Environment): Expansion {
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
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (value === undefined) {
      faults.push(`environment variable ${name} is not set; set it or write \${${name}:-default}`);
      return whole;
    }
    return value;
  });
  return { text: expanded, faults };
}
