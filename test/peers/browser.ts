/**
 * A real browser in front of a running Sluice: Chromium without a window, driven by playwright-core.
 *
 * One browser serves a test file, each page is a visitor of its own. A page remembers what nobody looks for but everybody would mind: errors in its console, faults in
 * its code, and requests to anybody but Sluice; `clean` asserts that there were none. Pictures are kept under `.screenshots`, for people to look at.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const PICTURES = join(import.meta.dirname, '../../.screenshots');
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Why browser tests cannot run here, false where they can. */
export const NO_BROWSER: string | false = CHROMIUM === undefined ? 'chromium is not installed' : false;

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };

export interface Visitor {
  readonly page: Page;
  /** What went wrong in the page, and whom else it asked. */
  readonly faults: readonly string[];
  /** Goes to a view such as `#/audit`, and waits until it is live. */
  visit(view?: string): Promise<void>;
  /** Keeps a picture under this name. */
  picture(name: string): Promise<void>;
  /** What axe finds wrong for people who use a keyboard or a screen reader, as lines. */
  barriers(): Promise<readonly string[]>;
}

export interface VisitOptions {
  readonly size?: { readonly width: number; readonly height: number };
  readonly scheme?: 'light' | 'dark';
  /** Refused connections are no fault: the test kills Sluice. */
  readonly breaks?: boolean;
}

export async function startBrowser(t: Test): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM ?? '',
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
      ...['--disable-background-networking', '--disable-component-update'],
    ],
  });
  t.teardown(() => browser.close());
  return browser;
}

/** @param admin the address of the admin API, without a slash at its end. */
export async function newVisitor(browser: Browser, admin: string, options: VisitOptions = {}): Promise<Visitor> {
  const { size = DESKTOP, scheme = 'light', breaks = false } = options;
  const context = await browser.newContext({ viewport: { ...size }, colorScheme: scheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`fault: ${error.message}`));
  page.on('console', (message) => {
    const text = message.text();
    // A refused call is told on the page; the browser says it a second time.
    if (message.type() === 'error' && !/^Failed to load resource/.test(text)) faults.push(`console: ${text}`);
    else if (message.type() === 'error' && !breaks && /net::/.test(text)) faults.push(`console: ${text}`);
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${admin}/`) && !/^(data|blob):/.test(url)) faults.push(`asks ${url}`);
  });
  return {
    page,
    faults,
    async visit(view = '#/') {
      await page.goto(`${admin}/${view}`);
      await page.getByRole('status', { name: 'Connection: live' }).waitFor();
    },
    async picture(name) {
      mkdirSync(PICTURES, { recursive: true });
      await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
    },
    async barriers() {
      await page.evaluate(readFileSync(AXE, 'utf8'));
      // Given as text: it runs in the page, whose types are not those of this program.
      const found = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as {
        violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
      };
      return found.violations.flatMap(({ id, impact, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id} (${impact}): ${html.slice(0, 200)} ${failureSummary}`),
      );
    },
  };
}
