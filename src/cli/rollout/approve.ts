/**
 * `sluice rollout approve`: says yes to the start of a rollout, or to the step at which it waits, with a signature or with the token alone.
 *
 * The private key is read here and never leaves this machine; what goes to the server is the signature over a text that is shown first. The digest in
 * it covers what is to be done (version, endpoints, strategy), so an approval is for that and for one step: it means nothing for a rollout
 * that was changed, nor for a later step.
 */
import { readFileSync } from 'node:fs';
import type { GivenApproval } from '../../control/operations.ts';
import { approvalPayload, signApproval } from '../../control/rollout/approval-payload.ts';
import type { RolloutView } from '../../control/rollout/view.ts';
import { pathOf } from '../client/admin-client.ts';
import { REASON_OPTION } from '../client/applied.ts';
import { clientCommand } from '../client/client-command.ts';
import { CommandFailure, EXIT } from '../client/failure.ts';
import { counted } from '../client/format.ts';
import { printable } from '../client/printable.ts';
import type { Paint } from '../client/table.ts';
import { UsageError } from '../command.ts';
import { findRollout } from './find-rollout.ts';
import { idWord, ROLLOUT_USAGE } from './rollout-word.ts';
import { summaryText } from './summary-text.ts';

export const approveCommand = clientCommand(
  {
    name: 'rollout approve',
    summary: 'approve a rollout, with a signature where keys are configured',
    about:
      'Approve the start of a rollout that waits, or the step at which it is. With --key the approval is signed here with an Ed25519 ' +
      'key whose public half the ' +
      'configuration has under the name that --as gives; the private key never leaves this machine.',
    usage: [`${ROLLOUT_USAGE} [--key FILE --as NAME] [OPTIONS]`],
    options: {
      key: { value: 'FILE', about: 'private key (Ed25519, PKCS#8, PEM): openssl genpkey -algorithm ed25519 -out FILE' },
      as: { value: 'NAME', about: 'name of the approver in the configuration' },
      ...REASON_OPTION,
    },
    examples: ['sluice rollout approve shop', 'sluice rollout approve shop --key lead.pem --as release-lead'],
  },
  async ({ admin, io, words, options, show, paint }) => {
    const { key, as: approver, reason } = options;
    if ((key === undefined) !== (approver === undefined)) {
      throw new UsageError('--key FILE and --as NAME go together: whose key is it?');
    }
    const privateKey = key === undefined ? null : readKey(key);
    const rollout = await findRollout(admin, idWord(words), false);
    let given: GivenApproval = {};
    if (key !== undefined && privateKey !== null && approver !== undefined) {
      const signedAt = new Date((io.wallClock ?? Date.now)()).toISOString();
      const payload = approvalPayload({
        rollout: rollout.id,
        digest: rollout.digest,
        approver,
        step: stepOf(rollout),
        signedAt,
      });
      const signature = signed(key, privateKey, payload);
      (options.json ? io.err : io.out)(signedText(rollout, payload, paint));
      given = { approver, signature, signedAt };
    }
    const body = { ...given, ...(reason !== undefined && { reason }) };
    const view = await admin.send<RolloutView>('POST', pathOf('rollouts', rollout.id, 'approve'), { body });
    show(view, () => approvedText(view) + summaryText(view, paint));
  },
);

/** Index of the step that is approved; −1 is the start. */
const stepOf = ({ phase, step }: RolloutView): number => (phase === 'Queued' ? -1 : step - 1);

/** What is signed, in words and as the very text. */
function signedText(rollout: RolloutView, payload: string, paint: Paint): string {
  const { id, service, version, stable, strategy, steps } = rollout;
  const step = steps[stepOf(rollout)];
  const what = step === undefined ? 'the start' : `step ${step.index + 1}, ${step.name} (${step.summary})`;
  const heading = `This signs ${what} of rollout ${id}: ${version} against ${stable} of ${service}, strategy ${strategy}.`;
  const text = payload
    .trimEnd()
    .split('\n')
    .map((line) => `  ${paint(printable(line), 'faint')}\n`);
  return `${printable(heading)}\n${text.join('')}`;
}

/** Nothing is required any more where this was the last one and the rollout has gone on. */
function approvedText({ approvals: { given, required, missing } }: RolloutView): string {
  const of = required === 0 ? '' : `; ${counted(given.length, 'approval')} of ${required}`;
  return `Approved${of}${missing === null ? '' : `: ${printable(missing)}`}\n`;
}

function readKey(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const reason = code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'permission denied' : code;
    throw new UsageError(`--key: cannot read ${file}: ${reason}`);
  }
}

function signed(file: string, privateKey: string, payload: string): string {
  try {
    return signApproval(privateKey, payload);
  } catch (error) {
    throw new CommandFailure(EXIT.misused, `${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
