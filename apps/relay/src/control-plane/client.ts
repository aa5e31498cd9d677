/** The relay's client of the control plane, for approvals and deferred calls. Every request ends in bounded time. */
import { readFile } from 'node:fs/promises';

import {
  AppError,
  approvalAnswerSchema,
  claimRelayApproval,
  claimRelayDeferredCall,
  createRelayDeferredCall,
  deferredCallSchema,
  errorKinds,
  finishRelayDeferredCall,
  readRelayApproval,
  readRelayDeferredCall,
  reportMaskObservations,
  withdrawRelayApproval,
  withdrawRelayDeferredCall,
} from '@hoop/contract';
import type { ApprovalAnswer, ApprovalClaimBody, DeferredCallBody, ErrorCode } from '@hoop/contract';
import { Agent, request } from 'undici';
import type { z } from 'zod';

export interface ApprovalsOptions {
  readonly url: string;
  readonly tokenFile: string;
}

export type NewDeferredCall = z.input<typeof createRelayDeferredCall.body>;
export type DeferredResult = z.input<typeof finishRelayDeferredCall.body>;
export type MaskObservations = z.input<typeof reportMaskObservations.body>['observations'];
export type DeferredClaim = z.output<typeof claimRelayDeferredCall.response>;

export interface ControlPlane {
  claimApproval(claim: ApprovalClaimBody, signal?: AbortSignal): Promise<ApprovalAnswer>;
  readApproval(approvalId: string, identityId: string, waitSeconds: number, signal: AbortSignal): Promise<ApprovalAnswer>;
  withdrawApproval(approvalId: string, identityId: string, reason: string): Promise<ApprovalAnswer>;
  createDeferredCall(call: NewDeferredCall): Promise<DeferredCallBody>;
  claimDeferredCall(callId: string, relayId: string): Promise<DeferredClaim>;
  finishDeferredCall(callId: string, result: DeferredResult): Promise<boolean>;
  readDeferredCall(callId: string, identityId: string, waitSeconds: number, signal: AbortSignal): Promise<DeferredCallBody>;
  withdrawDeferredCall(callId: string, identityId: string): Promise<DeferredCallBody>;
  /** Reports the findings of discovery: at most 20 connections with 100 fields each. */
  reportMaskObservations(observations: MaskObservations): Promise<void>;
  close(): Promise<void>;
}

const timeoutMs = 5_000;
const maxAnswerBytes = 64 * 1024 * 1024;

interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  /** That the answer may be held back. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Every method rejects with the AppError that the control plane gave, or with `unavailable`. */
export function createControlPlane({ url, tokenFile }: ApprovalsOptions): ControlPlane {
  const agent = new Agent({ connections: 64, connect: { timeout: timeoutMs }, maxResponseSize: maxAnswerBytes, bodyTimeout: timeoutMs });

  async function ask(question: Question): Promise<unknown> {
    const limit = AbortSignal.timeout(timeoutMs + (question.waitMs ?? 0));
    const signal = question.signal === undefined ? limit : AbortSignal.any([limit, question.signal]);
    try {
      const token = (await readFile(tokenFile, 'utf8')).trim();
      const { statusCode, body } = await request(url + question.path, {
        dispatcher: agent,
        method: question.method,
        headers: { authorization: `Bearer ${token}`, ...(question.body === undefined ? {} : { 'content-type': 'application/json' }) },
        body: question.body === undefined ? null : JSON.stringify(question.body),
        headersTimeout: timeoutMs + (question.waitMs ?? 0),
        signal,
      });
      const answer = await body.json();
      if (statusCode < 300) return answer;
      throw refusal(statusCode, answer);
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      throw new AppError('unavailable', 'The control plane, which keeps approvals, cannot be asked now. Send the call again.', {
        cause,
        headers: { 'retry-after': '2' },
      });
    }
  }

  const approvalPath = (id: string): string => `${readRelayApproval.path.replace('{approvalId}', id)}`;
  const callPath = (operation: { path: string }, id: string): string => operation.path.replace('{callId}', id);

  return {
    claimApproval: async (claim, signal) =>
      approvalAnswerSchema.parse(await ask({ method: 'POST', path: claimRelayApproval.path, body: claim, signal })),
    readApproval: async (id, identityId, wait, signal) =>
      approvalAnswerSchema.parse(
        await ask({ method: 'GET', path: `${approvalPath(id)}?identity=${identityId}&wait=${wait}`, waitMs: wait * 1000, signal }),
      ),
    withdrawApproval: async (id, identityId, reason) =>
      approvalAnswerSchema.parse(
        await ask({ method: 'POST', path: withdrawRelayApproval.path.replace('{approvalId}', id), body: { identityId, reason } }),
      ),
    createDeferredCall: async (call) =>
      deferredCallSchema.parse(await ask({ method: 'POST', path: createRelayDeferredCall.path, body: call })),
    claimDeferredCall: async (id, relayId) =>
      claimRelayDeferredCall.response.parse(await ask({ method: 'POST', path: callPath(claimRelayDeferredCall, id), body: { relayId } })),
    finishDeferredCall: async (id, result) =>
      finishRelayDeferredCall.response.parse(await ask({ method: 'POST', path: callPath(finishRelayDeferredCall, id), body: result }))
        .isAccepted,
    readDeferredCall: async (id, identityId, wait, signal) =>
      deferredCallSchema.parse(
        await ask({
          method: 'GET',
          path: `${callPath(readRelayDeferredCall, id)}?identity=${identityId}&wait=${wait}`,
          waitMs: wait * 1000,
          signal,
        }),
      ),
    withdrawDeferredCall: async (id, identityId) =>
      deferredCallSchema.parse(await ask({ method: 'POST', path: callPath(withdrawRelayDeferredCall, id), body: { identityId } })),
    async reportMaskObservations(observations) {
      await ask({ method: 'POST', path: reportMaskObservations.path, body: { observations } });
    },
    close: () => agent.destroy(),
  };
}

/** A refusal by the control plane is passed on where it concerns the call; one that concerns the relay is an outage. */
function refusal(status: number, answer: unknown): AppError {
  const { code, detail } = answer as { code?: unknown; detail?: unknown };
  const isAboutUs = status === 401 || status >= 500 || code === 'invalid_request' || code === 'forbidden';
  if (isAboutUs || typeof code !== 'string' || !Object.hasOwn(errorKinds, code) || typeof detail !== 'string') {
    return new AppError('unavailable', 'The control plane, which keeps approvals, did not take the question.', {
      cause: new Error(`it answered ${status} ${String(code)}: ${String(detail).slice(0, 500)}`),
    });
  }
  return new AppError(code as ErrorCode, detail);
}
