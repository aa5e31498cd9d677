import type { Engine } from '../engine.ts';
import type { Output } from '../output.ts';
import type { Format, MediaType } from '../response/content-type.ts';
import { JsonMachine } from './json/json-machine.ts';
import type { JsonObserver } from './json/json-observer.ts';
import type { Machine, Tally } from './machine.ts';

export interface MachineInput {
  readonly format: Format;
  readonly type: MediaType;
  readonly engine: Engine;
  readonly out: Output;
  readonly tally: Tally;
  readonly observer: JsonObserver | null;
  readonly unmaskedContentTypes: readonly string[];
}

/** The machine of a format; null where there is none yet. */
export function createMachine(input: MachineInput): Machine | null {
  const { engine, out, tally, observer } = input;
  switch (input.format) {
    case 'json':
      return new JsonMachine(engine, out, tally, { observer });
    case 'json-lines':
      return new JsonMachine(engine, out, tally, { observer, many: true });
    default:
      return null;
  }
}
