import { createHash } from 'node:crypto';

import { showApprovalPage as operation, type ApprovalResource } from '@hoop/contract';
import { readApproval } from '@hoop/database';

import { route } from '../http/route.ts';

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}
code,pre{font:14px/1.6 ui-monospace,monospace}pre{padding:1rem;background:#f3f3f3;overflow-x:auto}
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}pre{background:#262626}}`;

/** Nothing is loaded, run, framed or sent: the page is text. */
const headers = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'x-robots-tag': 'noindex',
};

const sentences: Readonly<Record<ApprovalResource['state'] | 'unknown', string>> = {
  pending: 'It waits for a decision.',
  approved: 'It was approved, and the call has not been sent yet.',
  denied: 'It was denied.',
  consumed: 'It was approved, and the call was sent.',
  expired: 'It expired before it was decided.',
  withdrawn: 'It was withdrawn.',
  voided: 'It was voided: something that it depends on has changed.',
  unknown: 'There is no such request, or it has been removed.',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** The same for every id but for the id and its state; nothing of the request, or of who asks, is on it. */
function page(id: string, state: keyof typeof sentences, publicUrl: string): string {
  const command = (verb: string): string => escaped(`hoop approvals ${verb} ${id} --url ${publicUrl}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Approval ${escaped(id)}</title>
<style>${style}</style>
</head>
<body>
<h1>Approval <code>${escaped(id)}</code></h1>
<p>State: <strong>${state}</strong>. ${sentences[state]}</p>
<p>Read what will be sent, and decide, with your own token in <code>HOOP_ADMIN_TOKEN</code>:</p>
<pre>${command('show')}
${command('approve')}
${command('deny')}</pre>
</body>
</html>
`;
}

export const showApprovalPage = route(operation, async ({ context, params }) => {
  const approval = await readApproval(context.database.prisma, params.approvalId);
  return { body: page(params.approvalId, approval?.state ?? 'unknown', context.publicUrl()), headers };
});
