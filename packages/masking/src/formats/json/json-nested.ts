/**
 * JSON inside a JSON string (a webhook's payload, a log line): masked like the rest, as if it stood there without
 * its quotes. What is nested too deeply, too long or not quite JSON is hidden whole once it shows keys.
 */
import { redacted } from '../../actions/action.ts';
import { utf8Bytes, utf8Text } from '../../bytes.ts';
import { limits } from '../../engine.ts';
import type { Engine, NestedPlace } from '../../engine.ts';
import { Output } from '../../output.ts';
import { Malformed } from '../machine.ts';
import type { Tally } from '../machine.ts';
import { JsonMachine } from './json-machine.ts';

const looksLikeJson = /^[\s\u{feff}]*(?:\{\s*(?:"|\}|\\)|\[[\s[]*(?:\{|")|"(?:\\*"|\s|\\[nrtu]|[{[]))/u;

/** The masked text; null: it is JSON and stays as it is; undefined: it is not JSON. */
export function maskNested(engine: Engine, tally: Tally, text: string, place: NestedPlace): string | null | undefined {
  if (!looksLikeJson.test(text)) return undefined;
  if (place.nesting >= limits.nesting || text.length > limits.text) return engine.selects ? hide(tally) : undefined;
  const inner: Tally = { maskedCount: 0 };
  const out = new Output();
  const machine = new JsonMachine(engine, out, inner, {
    many: true,
    root: place.state,
    entry: place.entry,
    nesting: place.nesting + 1,
    observer: place.observer ?? null,
  });
  const start = /^[\s\u{feff}]*/u.exec(text)![0].length;
  try {
    machine.write(utf8Bytes(text.slice(start)));
    machine.end();
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return machine.keysRead > 0 ? hide(tally) : undefined;
  }
  if (inner.maskedCount === 0) return null;
  tally.maskedCount += inner.maskedCount;
  const masked = out.take();
  return text.slice(0, start) + (masked === null ? '' : utf8Text(masked, 0, masked.length));
}

function hide(tally: Tally): string {
  tally.maskedCount++;
  return redacted;
}
