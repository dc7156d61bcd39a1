/**
 * Facts in a row, each with its name: `strategy quick · weight 10 %`. They wrap; a fact that is null is left out.
 */
import type { ComponentChildren, JSX } from 'preact';

export type Fact = readonly [name: string, value: ComponentChildren];

export const FactList = ({ facts }: { readonly facts: readonly (Fact | null)[] }): JSX.Element => (
  <dl class="facts">
    {facts.map((fact) =>
      fact === null ? null : (
        <div key={fact[0]}>
          <dt>{fact[0]}</dt>
          <dd>{fact[1]}</dd>
        </div>
      ),
    )}
  </dl>
);
