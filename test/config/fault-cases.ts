/** Faulty configurations and what must be said about them, word for word: the words are the interface. */
import { ConfigError } from '../../src/control/config/faults.ts';
import { parseConfig, parseConfigTexts } from '../../src/control/config/load.ts';

export interface FaultCase {
  readonly name: string;
  readonly text: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Every fault, in order, without the file name. */
  readonly faults: readonly string[];
}

/** What is said about `text`; empty where it is good. */
export function faultsOf(text: string, env: Readonly<Record<string, string>> = {}): readonly string[] {
  try {
    parseConfig(text, 'sluice.yaml', env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n').map((line) => line.replace('sluice.yaml:', ''));
  }
}

/** The same of several texts, by file name, each laid over those before it; the file names stay. */
export function faultsOfTexts(
  texts: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): readonly string[] {
  try {
    parseConfigTexts(
      Object.entries(texts).map(([file, text]) => ({ file, text })),
      env,
    );
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n');
  }
}

/** A good configuration of one service (lines 1 to 4) with `rest` below; the service's keys have an indent of four. */
export function oneService(rest: string): string {
  return `listen: :8080\nservices:\n  shop:\n    versions: { v1: { endpoints: ["http://a:1"] } }\n${rest}`;
}

/** The same with v1, v2 and v3 (lines 4 to 7); `rest` begins at line 8. */
export function threeVersions(rest: string): string {
  const versions = ['v1', 'v2', 'v3'].map((name) => `      ${name}: { endpoints: ["http://${name}:1"] }\n`).join('');
  return `listen: :8080\nservices:\n  shop:\n    versions:\n${versions}${rest}`;
}
