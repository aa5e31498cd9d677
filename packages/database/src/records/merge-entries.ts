import type { CallHead, OutcomeEntry, RecordEntry } from '@hoop/contract';

/** One call, merged from its entries. */
export interface CallRecord {
  readonly callId: string;
  readonly sessionId: string;
  readonly head: CallHead | null;
  readonly outcome: OutcomeEntry | null;
  readonly repeats: number | null;
}

/**
 * Merges the entries of each call, in any order and with repetitions, so that a call whose
 * intent and outcome travel together is written once. A real outcome counts before an `unknown` one; of several real
 * ones the first counts. Sorted by call id, so that two transactions that write the same calls lock them in one order.
 */
export function mergeEntries(entries: readonly RecordEntry[]): CallRecord[] {
  const calls = new Map<string, { head: CallHead | null; outcome: OutcomeEntry | null; repeats: number | null }>();
  for (const entry of entries) {
    const head = entry.type === 'outcome' ? null : entry.head;
    const outcome = entry.type === 'intent' ? null : entry.type === 'outcome' ? entry : entry.outcome;
    const callId = head?.callId ?? outcome!.callId;
    let call = calls.get(callId);
    if (!call) calls.set(callId, (call = { head: null, outcome: null, repeats: null }));
    call.head ??= head;
    if (outcome && (call.outcome === null || (call.outcome.state === 'unknown' && outcome.state !== 'unknown'))) call.outcome = outcome;
    if (entry.type === 'refusal' && entry.repeats) call.repeats ??= entry.repeats;
  }
  return [...calls]
    .map(([callId, call]) => ({ callId, sessionId: (call.head ?? call.outcome!).sessionId, ...call }))
    .sort((a, b) => (a.callId < b.callId ? -1 : 1));
}
