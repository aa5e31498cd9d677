/**
 * A nightly job that reads customers and gives one of them refunds. Before Hoop it imported nothing for `fetch` and carried a
 * key of the payments API; now it imports `fetch` and holds none.
 */
import { fetch } from '@hoop/fetch';

const payments = process.env['PAYMENTS_URL'] ?? 'https://api.payments.example';

/** One line of JSON for each answer, as a job's log. */
async function report(step: string, response: Response): Promise<unknown> {
  const text = await response.text();
  const body: unknown = text === '' ? null : JSON.parse(text);
  process.stdout.write(`${JSON.stringify({ step, status: response.status, call: response.headers.get('hoop-call'), body })}\n`);
  return body;
}

await report('read the customers', await fetch(`${payments}/v1/customers`));

const customer = (await report('read one customer', await fetch(`${payments}/v1/customers/cus_2`))) as { id: string };

await report('delete a customer', await fetch(`${payments}/v1/customers/${customer.id}`, { method: 'DELETE' }));

const refund: RequestInit = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ customer: customer.id, amount: 500 }),
};
const refused = (await report('refund without a ticket', await fetch(`${payments}/v1/refunds`, refund))) as {
  missingContext?: { key: string }[];
};

// The refusal says what is missing.
const context = Object.fromEntries((refused.missingContext ?? []).map(({ key }) => [key, 'OPS-12']));
await report('refund with the ticket', await fetch(`${payments}/v1/refunds`, { ...refund, hoop: { context } }));

const large = (amount: number): RequestInit => ({ ...refund, body: JSON.stringify({ customer: customer.id, amount }) });
await report('large refund, which a person approves', await fetch(`${payments}/v1/refunds`, { ...large(25_000), hoop: { context } }));

// This one does not wait: Hoop keeps it, sends it once it is approved, and keeps the response.
const deferred = (await report(
  'large refund, deferred',
  await fetch(`${payments}/v1/refunds`, { ...large(30_000), hoop: { context, defer: true } }),
)) as { callId: string };
await report('collect the deferred refund', await fetch.collect(deferred.callId));
