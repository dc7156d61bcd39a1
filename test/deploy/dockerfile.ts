/**
 * A Dockerfile as stages of instructions, as far as ours goes: continued lines, comments, ARG, flags, shell and exec forms.
 *
 * It exists so that the Dockerfile can be held against other files, and carried out where there is no container engine. What it does not
 * know is an error, so that a new instruction is not passed over in silence. Heredocs, ONBUILD and the like are not known.
 */

export interface Instruction {
  readonly line: number;
  readonly name: string;
  /** `--from=build` as from → build. */
  readonly flags: Readonly<Record<string, string>>;
  /** Of the exec form its words; else what stands there. */
  readonly words: readonly string[];
  /** As written, behind the flags. */
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

const KNOWN = new Set(
  'ARG FROM WORKDIR COPY RUN LABEL ENV USER VOLUME EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD'.split(' '),
);

export function parseDockerfile(source: string): Stage[] {
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  const globals: Record<string, string> = {};
  for (const { line, text } of logicalLines(source)) {
    const instruction = parseInstruction(line, text);
    const stage = stages.at(-1);
    if (instruction.name === 'FROM') {
      const [base = '', , name = `stage-${stages.length}`] = instruction.words;
      stages.push({ name, base: filledIn(base, globals), instructions: [] });
    } else if (stage !== undefined) {
      stage.instructions.push(instruction);
    } else if (instruction.name === 'ARG') {
      const [name = '', value = ''] = instruction.text.split('=');
      globals[name] = value;
    } else {
      throw new Error(`Dockerfile:${line}: ${instruction.name} stands before the first FROM`);
    }
  }
  return stages;
}

/** The last one of its name in a stage. */
export const lastOf = (stage: Stage, name: string): Instruction | undefined =>
  stage.instructions.findLast((each) => each.name === name);

function logicalLines(source: string): { line: number; text: string }[] {
  const lines: { line: number; text: string }[] = [];
  let goesOn = false;
  for (const [index, raw] of source.split('\n').entries()) {
    const text = raw.trim();
    // Comments and empty lines are left out, also between the lines of one instruction.
    if (text === '' || text.startsWith('#')) continue;
    const part = text.replace(/\s*\\$/, '');
    const last = lines.at(-1);
    if (goesOn && last !== undefined) last.text += ` ${part}`;
    else lines.push({ line: index + 1, text: part });
    goesOn = part !== text;
  }
  if (goesOn) throw new Error('Dockerfile: the last line goes on');
  return lines;
}

function parseInstruction(line: number, text: string): Instruction {
  const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(text) ?? [];
  if (!KNOWN.has(name)) throw new Error(`Dockerfile:${line}: ${text.split(' ')[0]} is not known here`);
  const flags: Record<string, string> = {};
  let behind = rest;
  for (;;) {
    const [whole, flag = '', value = ''] = /^--([a-z-]+)(?:=(\S+))?\s+/.exec(behind) ?? [];
    if (whole === undefined) break;
    flags[flag] = value;
    behind = behind.slice(whole.length);
  }
  const command = behind.replace(/^CMD\s+/, '');
  const words = command.startsWith('[') ? (JSON.parse(command) as string[]) : command.split(/\s+/);
  return { line, name, flags, words, text: behind };
}

function filledIn(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{([A-Z_]+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`Dockerfile: ${name} has no value`);
    return value;
  });
}
