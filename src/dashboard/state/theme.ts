/**
 * Light or dark: as the system says, unless somebody chose. The choice is kept in local storage, which has nothing else of ours.
 */
import { createStore } from './store.ts';

export type Theme = 'light' | 'dark';

const KEY = 'sluice.theme';
const system = matchMedia('(prefers-color-scheme: dark)');

const systemTheme = (): Theme => (system.matches ? 'dark' : 'light');

function chosen(): Theme | null {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === 'light' || kept === 'dark' ? kept : null;
  } catch {
    return null;
  }
}

export const theme = createStore<Theme>(chosen() ?? systemTheme());

export function followTheme(): void {
  const show = (): void => {
    document.documentElement.dataset.theme = theme.get();
  };
  theme.subscribe(show);
  system.addEventListener('change', () => {
    if (chosen() === null) theme.set(systemTheme());
  });
  show();
}

export function switchTheme(): void {
  const next = theme.get() === 'dark' ? 'light' : 'dark';
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // It holds until the page is left, then.
  }
  theme.set(next);
}
