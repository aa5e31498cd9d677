import { connectionSettingsSchema, credentialSourceSettingsSchema } from '@hoop/contract';
import type { HeaderList } from '@hoop/contract';
import { expect, it } from 'vitest';

import type { Call } from '../call/call.ts';
import { sentHeaders } from './sent-headers.ts';

const callWith = (headers: HeaderList, injection: object | null): Call => {
  const settings = connectionSettingsSchema.parse({ target: 'https://api.example' });
  const credential = injection === null ? null : { settings: credentialSourceSettingsSchema.parse({ type: 'static', injection }) };
  return { request: { headers }, connection: { snapshot: { settings, credential } } } as unknown as Call;
};

it.each(['apikey', 'x-goog-api-key', 'X-Api-Key'])(
  'a stand-in for the key that is injected as %s is in no digest, and shown to nobody',
  (name) => {
    const injection = { into: 'header', name, template: '{secret}' };
    const [first, second] = ['held-by-hoop', 'another'].map((value) =>
      sentHeaders(
        callWith(
          [
            ['accept', '*/*'],
            [name.toLowerCase(), value],
            [name.toLowerCase().replaceAll('-', '_'), value],
          ],
          injection,
        ),
        true,
      ),
    );
    expect(first).toEqual(second);
    expect(JSON.stringify(first)).not.toContain('held-by-hoop');
  },
);

it('a header that is not the credential stays, whatever its name', () => {
  const headers: HeaderList = [['apikey', 'public']];
  for (const injection of [null, { into: 'header' }, { into: 'query', name: 'apikey' }])
    expect(sentHeaders(callWith(headers, injection), true)).toContainEqual(['apikey', 'public']);
});
