/**
 * What a route asks of a request besides host and path: its method, headers, query parameters, and flags for its user. All must hold.
 *
 * Header predicates look at the value as RFC 9110 5.2 reads it, several lines joined where the field block can tell, else the first line. What
 * a client that is not a trusted proxy claims about itself (X-Forwarded-*, Forwarded, X-Real-IP, X-Request-Id) counts as absent, because
 * Sluice drops it: a route must not be entered by a field that its service will never see. Query predicates look at the first parameter of
 * the name, decoded.
 *
 * Fields without a number are looked for by name. Those are the further X-Forwarded-* fields, which share one number so that they are
 * dropped together, and whatever found no place in the table of names.
 *
 * @hotpath bench/micro/routes.ts
 */
import type { RouteMatch, ValueMatch } from '../../model/route-config.ts';
import { type FieldNames, isClaim, UNKNOWN } from '../http1/field-names.ts';
import type { ClientFacts } from '../http1/field-rules.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { FlagPredicate, type FlagSet } from './flags.ts';
import { queryValue } from './query.ts';
import { valuePattern } from './route-pattern.ts';

class ValuePredicate {
  readonly name: string;
  readonly #absent: boolean;
  readonly #exact: string | null;
  readonly #pattern: RegExp | null;

  constructor(match: ValueMatch, exact: string | null) {
    this.name = match.name;
    this.#absent = match.present === false;
    this.#exact = exact;
    this.#pattern = match.regex === undefined ? null : valuePattern(match.regex);
  }

  holds(value: string | null): boolean {
    if (value === null) return this.#absent;
    if (this.#absent) return false;
    if (this.#exact !== null && value !== this.#exact) return false;
    return this.#pattern === null || this.#pattern.test(value);
  }
}

class HeaderPredicate extends ValuePredicate {
  readonly #id: number;
  readonly #claim: boolean;

  constructor(match: ValueMatch, names: FieldNames) {
    // Heads are read as latin1, so that is how text beyond ASCII has to be compared.
    super(match, match.exact === undefined ? null : Buffer.from(match.exact, 'utf8').toString('latin1'));
    this.#id = names.idOf(match.name);
    this.#claim = isClaim(match.name);
  }

  accepts(head: RequestHead, client: ClientFacts): boolean {
    if (this.#claim && !client.trusted) return this.holds(null);
    if (this.#id === UNKNOWN) return this.holds(valueNamed(head, this.name));
    return this.holds(head.has(this.#id) ? head.joined(this.#id) : null);
  }
}

export class RoutePredicates {
  readonly #methods: readonly string[];
  readonly #headers: readonly HeaderPredicate[];
  readonly #query: readonly ValuePredicate[];
  readonly #flags: readonly FlagPredicate[];

  /** @param flags null where there are none, and no match that asks for one then. */
  constructor(match: RouteMatch, names: FieldNames, flags: FlagSet | null) {
    this.#methods = match.methods;
    this.#headers = match.headers.map((header) => new HeaderPredicate(header, names));
    this.#query = match.query.map((parameter) => new ValuePredicate(parameter, parameter.exact ?? null));
    this.#flags = flags === null ? [] : match.flags.map(({ name, on }) => new FlagPredicate(flags, name, on));
  }

  hold(head: RequestHead, client: ClientFacts): boolean {
    if (this.#methods.length > 0 && !this.#methods.includes(head.method)) return false;
    for (let i = 0; i < this.#headers.length; i++) if (!this.#headers[i]!.accepts(head, client)) return false;
    for (let i = 0; i < this.#flags.length; i++) if (!this.#flags[i]!.accepts(head, client)) return false;
    for (let i = 0; i < this.#query.length; i++) {
      const predicate = this.#query[i]!;
      if (!predicate.holds(queryValue(head.target, predicate.name))) return false;
    }
    return true;
  }
}

/** Value of the first line with this lower-case name, null where there is none. */
function valueNamed(head: RequestHead, name: string): string | null {
  for (let i = 0; i < head.count; i++) {
    if (head.nameOf(i).toLowerCase() === name) return head.valueAt(i);
  }
  return null;
}
