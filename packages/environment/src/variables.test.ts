import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { connectionUrl, listOf, oneOf, secretFile, text, wholeNumber } from './forms.ts';
import { ConfigurationError, notesOf, optional, readVariables, required, unknownVariables, withDefault } from './variables.ts';

const variables = z.object({
  HOOP_KEY_FILE: required(secretFile, 'The key.', 'is not set; nothing works without it.'),
  HOOP_PORT: withDefault(wholeNumber(0, 65_535), '7700', 'The port.'),
  HOOP_NAMES: optional(listOf(text), 'Names.', 'nobody'),
  HOOP_STYLE: optional(oneOf(['path', 'host']), 'The style.'),
  HOOP_QUEUE_URL: optional(connectionUrl(['postgres:', 'postgresql:']), 'The queue.'),
});
const least = { HOOP_KEY_FILE: '/k' };

describe('variables of the environment', () => {
  it('have their defaults where they are not set or empty', () => {
    expect(readVariables(variables, { ...least, HOOP_PORT: '', HOOP_NAMES: '' })).toEqual({ HOOP_KEY_FILE: '/k', HOOP_PORT: 7700 });
  });

  it('become the values of their forms', () => {
    expect(readVariables(variables, { ...least, HOOP_PORT: '0', HOOP_NAMES: 'a, b', HOOP_STYLE: 'host' })).toMatchObject({
      HOOP_PORT: 0,
      HOOP_NAMES: ['a', 'b'],
      HOOP_STYLE: 'host',
    });
  });

  it.each([
    [{ HOOP_KEY_FILE: undefined }, 'HOOP_KEY_FILE is not set; nothing works without it.'],
    [{ HOOP_KEY_FILE: '' }, 'HOOP_KEY_FILE is not set; nothing works without it.'],
    [{ HOOP_PORT: '1e3' }, 'HOOP_PORT must be a whole number from 0 to 65535.'],
    [{ HOOP_PORT: '65536' }, 'HOOP_PORT must be a whole number from 0 to 65535.'],
    [{ HOOP_STYLE: 'Path' }, 'HOOP_STYLE must be path or host.'],
    [{ HOOP_QUEUE_URL: 'mysql://u:secret@h' }, 'HOOP_QUEUE_URL must be a URL that starts with postgres:// or postgresql://.'],
  ])('refuse %j with a sentence that names the variable', (wrong, sentence) => {
    const read = (): unknown => readVariables(variables, { ...least, ...wrong });
    expect(read).toThrow(new ConfigurationError(sentence));
  });

  it('are reported where they begin with HOOP_ and mean nothing', () => {
    const env = { ...least, HOOP_PROT: '1', HOOP_A: '', HOOP_STYLE: 'path', PATH: '/bin' };
    expect(unknownVariables(variables, env)).toEqual(['HOOP_A', 'HOOP_PROT']);
  });

  it('say of themselves what the reference table shows', () => {
    expect(Object.fromEntries(notesOf(variables))).toMatchObject({
      HOOP_KEY_FILE: { isRequired: true, isSecret: true, meaning: 'The key.' },
      HOOP_PORT: { isRequired: false, isSecret: false, default: '7700' },
      HOOP_NAMES: { form: 'list of text', default: 'nobody' },
    });
  });
});
