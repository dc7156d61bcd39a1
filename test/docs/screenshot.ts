/**
 * Takes the picture of the dashboard that the README shows: a rollout of the demo whose canary begins to fail, seconds after it was taken back.
 *
 *     npm run screenshot
 *
 * Made from the running program, so it can be made again when the page changes: a demo on free ports, visitors who never stop, a rollout, and a canary that fails one
 * request in twelve, slowly enough for the curve to be seen growing. It needs Chromium, takes half a minute and is no test.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { Pool, request } from 'undici';

const ROOT = join(import.meta.dirname, '../..');
const PICTURE = join(ROOT, 'docs/pictures/dashboard.png');
const VISITORS = 4;
/** Milliseconds between two requests of a visitor. */
const EVERY = 16;

async function demo(): Promise<{ proxy: string; admin: string; end: () => Promise<void> }> {
  const child = spawn(process.execPath, ['src/main.ts', 'demo', '--port', '0', '--admin-port', '0'], { cwd: ROOT });
  let text = '';
  child.stdout.setEncoding('utf8');
  while (!text.includes('Try in another terminal')) text += String((await once(child.stdout, 'data'))[0]);
  const address = (name: string): string => new RegExp(`${name} +(http://[0-9.:]+)`).exec(text)?.[1] ?? '';
  return {
    ...{ proxy: address('proxy'), admin: address('admin') },
    async end() {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

const running = await demo();
const pool = new Pool(running.proxy, { connections: VISITORS });
let ended = false;
const visitors = Array.from({ length: VISITORS }, async () => {
  while (!ended) {
    const { body } = await pool.request({ method: 'GET', path: '/' });
    await body.dump();
    await pause(EVERY);
  }
});
const post = async (url: string, body: object, headers: Record<string, string> = {}): Promise<void> => {
  const answer = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  await answer.body.dump();
};
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
try {
  await pause(3_000);
  const given = { version: 'v2', strategy: 'quick', reason: 'release 2' };
  await post(`${running.admin}/api/v1/services/demo/rollouts`, given);
  const context = await browser.newContext({ viewport: { width: 1240, height: 1330 }, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(`${running.admin}/#/rollouts/demo-1`);
  await page.getByText('50 % for 15s').waitFor();
  await pause(19_000);
  await post(`${running.proxy}/fail?percent=6`, {}, { 'x-canary-deploy': 'v2' });
  await page.getByText('Rolled back').first().waitFor();
  await pause(1_500);
  await page.screenshot({ path: PICTURE });
} finally {
  await browser.close();
  ended = true;
  await Promise.all(visitors);
  await pool.destroy();
  await running.end();
}
