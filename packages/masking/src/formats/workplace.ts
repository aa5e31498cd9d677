/**
 * A machine with what it writes to and counts in. Making a JSON machine costs as much as masking a small response with
 * it, so one for each engine is used again: most responses are over before the next one begins.
 */
import type { Engine } from '../engine.ts';
import { Output } from '../output.ts';
import { createMachine, declaredDecoder } from './create-machine.ts';
import type { MachineInput } from './create-machine.ts';
import { JsonMachine } from './json/json-machine.ts';
import { Work } from '../text/work.ts';
import type { Machine, Tally } from './machine.ts';
import { Metered } from './metered.ts';
import { Utf8Adapter } from './text-machine.ts';

export interface Workplace {
  readonly machine: Machine;
  readonly out: Output;
  readonly tally: Tally;
  readonly work: Work;
  /** The document is over and everything taken: the place may be given to another one. */
  leave(): void;
}

class JsonWorkplace implements Workplace {
  readonly out = new Output();
  readonly tally: Tally = { maskedCount: 0 };
  readonly work: Work;
  readonly machine: Machine;
  isFree = false;
  readonly #json: JsonMachine;
  readonly #adapter: Utf8Adapter;

  constructor(engine: Engine, declared: string | null, many: boolean) {
    this.work = workFor(engine);
    this.#json = new JsonMachine(engine, this.out, this.tally, { many });
    this.#adapter = new Utf8Adapter(declared, this.#json);
    this.machine = new Metered(this.#adapter, engine, this.work);
  }

  enter(declared: string | null, many: boolean): void {
    this.isFree = false;
    this.tally.maskedCount = 0;
    this.work.reset();
    this.#json.reset(many);
    this.#adapter.reset(declared);
  }

  leave(): void {
    this.isFree = true;
  }
}

const workFor = (engine: Engine): Work => engine.text?.createWork() ?? new Work(0);

const places = new WeakMap<Engine, JsonWorkplace>();

/** Throws `unmaskable_response` as `createMachine` does. */
export function enterWorkplace(input: Omit<MachineInput, 'out' | 'tally'>): Workplace {
  const { engine, format } = input;
  if (engine.observer !== null || (format !== 'json' && format !== 'json-lines')) {
    const out = new Output();
    const tally: Tally = { maskedCount: 0 };
    const work = workFor(engine);
    return { machine: new Metered(createMachine({ ...input, out, tally }), engine, work), out, tally, work, leave() {} };
  }
  const declared = declaredDecoder(input.type);
  let place = places.get(engine);
  if (place?.isFree === true) place.enter(declared, format === 'json-lines');
  else places.set(engine, (place = new JsonWorkplace(engine, declared, format === 'json-lines')));
  return place;
}
