/** Which machine masks a media type. */
import { AppError } from '@hoop/contract';

import { CharsetDecoder, decoderOf } from '../decoding/charset.ts';
import type { Prologue } from '../decoding/charset.ts';
import type { Engine } from '../engine.ts';
import type { Output } from '../output.ts';
import { formatOf, isListed } from '../response/content-type.ts';
import type { MediaType } from '@hoop/contract';
import type { Format } from '../response/content-type.ts';
import { Csv } from './csv.ts';
import { EventStream } from './event-stream.ts';
import { Field } from './field.ts';
import { Form } from './form.ts';
import { JsonMachine } from './json/json-machine.ts';
import { Malformed } from './machine.ts';
import type { Machine, Tally } from './machine.ts';
import { Html } from './markup/html.ts';
import { Xml } from './markup/xml.ts';
import { isBoundary, Multipart } from './multipart.ts';
import { SniffedText } from './sniffed-text.ts';
import { TextAdapter, Utf8Adapter } from './text-machine.ts';
import type { TextMachine } from './text-machine.ts';

export interface MachineInput {
  readonly format: Format;
  readonly type: MediaType;
  readonly engine: Engine;
  readonly out: Output;
  readonly tally: Tally;
  readonly unmaskedContentTypes: readonly string[];
  /** Multiparts that it is inside of. @default 0 */
  readonly depth?: number;
}

const maxMultipartDepth = 3;

/** The decoder of the charset that a type declares; null where it declares none. Throws `unmaskable_response` where it is not read. */
export function declaredDecoder(type: MediaType): string | null {
  const label = type.parameters.get('charset');
  const declared = label === undefined ? null : decoderOf(label);
  if (declared === undefined)
    throw new AppError(
      'unmaskable_response',
      `The response is in the charset ${JSON.stringify(label)}, which is not supported, so it cannot be masked.`,
    );
  return declared;
}

/** Throws `unmaskable_response` where the type's parameters show that it cannot be masked. */
export function createMachine(input: MachineInput): Machine {
  const { engine, out, tally, type, format } = input;
  const declared = declaredDecoder(type);
  const adapt = (machine: TextMachine, prologue: Prologue = 'none', mayBeLatin1 = true): Machine =>
    new TextAdapter(new CharsetDecoder(declared, prologue, mayBeLatin1), machine, out);
  switch (format) {
    case 'json':
    case 'json-lines':
      return new Utf8Adapter(declared, new JsonMachine(engine, out, tally, { observer: engine.observer, many: format === 'json-lines' }));
    case 'event-stream':
      return adapt(new EventStream(engine, tally), 'none', false);
    case 'form':
      return adapt(new Form(engine, tally), 'none', false);
    case 'csv':
      return adapt(
        new Csv(engine, tally, {
          ...(type.essence === 'text/tab-separated-values' ? { delimiter: '\t' } : {}),
          hasHeader: type.parameters.get('header')?.toLowerCase() !== 'absent',
        }),
      );
    case 'xml':
      return adapt(new Xml(engine, tally), 'xml', false);
    case 'html':
      return adapt(new Html(engine, tally), 'html');
    case 'text':
      return adapt(new SniffedText(engine, tally));
    case 'multipart':
      return multipart(input);
  }
}

function multipart(input: MachineInput): Machine {
  const { engine, out, tally, type, unmaskedContentTypes } = input;
  const depth = input.depth ?? 0;
  const boundary = type.parameters.get('boundary');
  if (!isBoundary(boundary) || depth >= maxMultipartDepth)
    throw new AppError(
      'unmaskable_response',
      'The multipart response has no valid boundary or is nested too deeply, so it cannot be masked.',
    );
  return new Multipart({
    engine,
    out,
    tally,
    boundary,
    machineOf(part, name) {
      const format = formatOf(part.essence);
      if (format === undefined) {
        if (isListed(part.essence, unmaskedContentTypes)) return null;
        throw new Malformed(0, `a part has the content type ${part.essence}`);
      }
      const label = part.parameters.get('charset');
      try {
        if (format === 'text' && name !== null) {
          const declared = label === undefined ? null : decoderOf(label);
          if (declared !== undefined)
            return new TextAdapter(new CharsetDecoder(declared, 'none', true), new Field(engine, tally, name), out);
        }
        return createMachine({ ...input, format, type: part, depth: depth + 1 });
      } catch (error) {
        if (error instanceof AppError) throw new Malformed(0, error.detail);
        throw error;
      }
    },
  });
}
