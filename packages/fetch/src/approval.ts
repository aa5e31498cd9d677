import type { Call } from './hop.ts';
import { type Answer, sendHop } from './hop.ts';
import { approvalEnds, hoopHeaders } from './constants.ts';
import type { ApprovalProgress } from './options.ts';
import { type Problem, readProblem } from './problem.ts';
import type { Hop } from './redirect.ts';
import { askRelay, poll } from './relay-request.ts';
import { discardBody } from './response.ts';

/** How long a withdrawal may take, milliseconds. */
const withdrawTimeoutMs = 5_000;

/** The approval that a refused call waits for. */
interface Pending {
  readonly approvalId: string;
  readonly problem: Problem;
}

/**
 * Sends a request and, where it needs an approval, waits for that and sends it again, which uses the approval.
 * A stream cannot be sent again: that one the relay holds for as long (see `hoop-wait`).
 */
export async function sendWhenApproved(call: Call, hop: Hop, isRedirected: boolean): Promise<Answer> {
  for (;;) {
    const answer = await sendHop(call, hop, isRedirected);
    const pending = answer.isRelayed && hop.body.isReplayable ? await readPending(answer.response) : undefined;
    if (pending === undefined || Date.now() >= call.waitUntil) return answer;
    const end = await waitForDecision(call, pending);
    if (end === undefined) return answer;
    void discardBody(answer.response);
    // A call with the same bytes may have been faster to use it: this one then asks for its own.
    if (end.state === 'approved' || end.state === 'consumed') continue;
    return { response: endResponse(answer.response, pending, end), isRelayed: true };
  }
}

async function readPending(response: Response): Promise<Pending | undefined> {
  if (response.headers.get(hoopHeaders.error) !== 'approval_pending') return undefined;
  const problem = await readProblem(response.clone(), 'approval_pending');
  const approvalId = problem['approvalId'];
  return typeof approvalId === 'string' && /^apr_[0-9a-z]{26}$/.test(approvalId) ? { approvalId, problem } : undefined;
}

interface End {
  readonly state: Exclude<ApprovalProgress['state'], 'pending'> | 'consumed';
  readonly reason: string | undefined;
}

/** Undefined where the time is up, or the relay does not know the approval. */
async function waitForDecision(call: Call, { approvalId, problem }: Pending): Promise<End | undefined> {
  const { signal } = call.init;
  const expiresAt = typeof problem['expiresAt'] === 'string' ? problem['expiresAt'] : undefined;
  const path = `/-/approvals/${approvalId}`;
  call.onProgress?.({ approvalId, state: 'pending', expiresAt, reason: undefined });
  let end: End | 'gone' | undefined;
  try {
    end = await poll({ client: call.client, path, until: call.waitUntil, signal, read: readEnd });
  } catch (error) {
    // Nobody waits any longer, so nobody needs to decide.
    if (signal?.aborted === true) {
      const limit = AbortSignal.timeout(withdrawTimeoutMs);
      askRelay(call.client, 'DELETE', path, limit).then(discardBody, () => {});
    }
    throw error;
  }
  if (end === undefined || end === 'gone') return undefined;
  if (end.state !== 'consumed') call.onProgress?.({ approvalId, state: end.state, expiresAt, reason: end.reason });
  return end;
}

async function readEnd(response: Response): Promise<End | 'gone' | undefined> {
  if (response.status !== 200) {
    void discardBody(response);
    return response.status < 500 ? 'gone' : undefined;
  }
  const { state, reason } = (await response.json()) as { state?: unknown; reason?: unknown };
  if (state === 'pending') return undefined;
  if (state !== 'approved' && state !== 'consumed' && !approvalEnds.includes(state as string)) return 'gone';
  return { state: state as End['state'], reason: typeof reason === 'string' ? reason : undefined };
}

/** Makes the relay's answer to a call whose approval ended in this state. Sending the call again would ask for another approval. */
function endResponse(pendingResponse: Response, { problem, approvalId }: Pending, end: End): Response {
  const { state } = end;
  const code = `approval_${state}`;
  const title = `The approval ${state === 'expired' ? state : `was ${state}`}`;
  const status = state === 'voided' ? 409 : 403;
  const detail = `${title}${end.reason === undefined ? '' : `: ${end.reason}`}.`;
  const said = { type: `urn:hoop:error:${code}`, code, title, status, detail, message: detail, approvalId };
  const body = { ...problem, ...said, error: { type: code, code, message: detail } };
  const callId = pendingResponse.headers.get(hoopHeaders.call);
  const headers = {
    'content-type': pendingResponse.headers.get('content-type')!,
    [hoopHeaders.error]: code,
    ...(callId === null ? {} : { [hoopHeaders.call]: callId }),
  };
  return new Response(JSON.stringify(body), { status, headers });
}
