/** How a secret gets into a request. */
import { AppError } from '@hoop/contract';
import type { HeaderList, Injection } from '@hoop/contract';
import type { Secret } from '@hoop/sealing';
import { isFieldValue } from '@hoop/upstream';

import type { Signed } from './sources/source.ts';

type Inject = (request: Signed) => Signed;

const unusable = (detail: string): AppError => new AppError('credential_unavailable', detail);

/**
 * Everything is computed once here; the returned function only puts it in the place of the function's own value.
 * @throws AppError `credential_unavailable` where the secret cannot stand in a header
 */
export function createInjector(injection: Injection, hidden: Secret<string>): Inject {
  const secret = hidden.reveal();
  switch (injection.into) {
    case 'header':
      return headerInjector(
        injection.name,
        injection.template.replaceAll('{secret}', () => secret),
      );
    case 'query':
      return queryInjector(
        injection.name,
        injection.template.replaceAll('{secret}', () => secret),
      );
    case 'basic':
      return headerInjector('authorization', `Basic ${Buffer.from(`${injection.username}:${secret}`).toString('base64')}`);
  }
}

/** Servers that cannot tell `x_y` from `x-y` would see two. */
const fold = (name: string): string => name.toLowerCase().replaceAll('_', '-');

/** Whether a header that the function sent (lower case) makes way for the credential: client libraries insist on some key. */
export const replacesHeader = (injection: Injection, name: string): boolean =>
  injection.into !== 'query' && fold(name) === fold(injection.into === 'header' ? injection.name : 'authorization');

function headerInjector(name: string, value: string): Inject {
  if (!isFieldValue(value) || value.trim() !== value) {
    throw unusable('The secret has characters in it that cannot be in a header, such as a line end. Enter it again without them.');
  }
  const header: [string, string] = [name.toLowerCase(), value];
  const folded = fold(name);
  const isReplaced = (other: string): boolean => other.length === folded.length && (other === header[0] || fold(other) === folded);
  return ({ headers, search }) => {
    const kept: HeaderList = [];
    for (const one of headers) if (!isReplaced(one[0])) kept.push(one);
    kept.push(header);
    return { headers: kept, search };
  };
}

function queryInjector(name: string, value: string): Inject {
  const pair = `${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
  const wanted = name.toLowerCase();
  return ({ headers, search }) => {
    const kept = search
      .slice(1)
      .split('&')
      .filter((part) => part !== '' && parameterName(part) !== wanted);
    return { headers, search: `?${[...kept, pair].join('&')}` };
  };
}

/** As the target will decode it (WHATWG URL §5.1), lower case. */
function parameterName(part: string): string {
  const [first] = new URLSearchParams(part);
  return first === undefined ? '' : first[0].toLowerCase();
}
