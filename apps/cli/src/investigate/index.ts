import { approvalsHelp, runApprovals } from '../approvals/approvals-command.ts';
import type { StartIo } from '../start/start.ts';
import { callsHelp, runCalls } from './calls-command.ts';
import { policyHelp, runPolicy } from './policy-command.ts';
import { runSessions, sessionsHelp } from './sessions-command.ts';

export interface InvestigationCommand {
  readonly summary: string;
  readonly help: string;
  readonly run: (args: readonly string[], io: StartIo) => Promise<number>;
}

/** Commands that speak to a running Hoop. */
export const investigationCommands: Readonly<Record<string, InvestigationCommand>> = {
  approvals: { summary: 'find, read and decide about calls that wait for a person', help: approvalsHelp, run: runApprovals },
  sessions: { summary: 'find, show, replay and export recorded sessions', help: sessionsHelp, run: runSessions },
  calls: { summary: 'search recorded bodies for a text', help: callsHelp, run: runCalls },
  policy: { summary: 'backtest a policy against recorded calls, or propose one', help: policyHelp, run: runPolicy },
};
