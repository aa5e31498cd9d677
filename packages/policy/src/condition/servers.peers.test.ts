/**
 * Bodies as real servers read them. Go's encoding/json and Python's json and urllib read each body; where one of them
 * sees what the condition asks for, the condition must not be false.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { readInspectedBody } from '../body/inspected-body.ts';
import { foldName } from '../body/member-names.ts';
import type { Facts } from '../facts.ts';
import { compileCondition } from './condition.ts';
import { requestEnvironment } from './environment.ts';

const goSource = `package main
import ("bufio"; "encoding/json"; "fmt"; "net/url"; "os"; "strings")
type body struct { Amount float64 \`json:"amount"\`; Role any \`json:"role"\`; Kiss any \`json:"kiss"\` }
func main() {
  in := bufio.NewScanner(os.Stdin); in.Buffer(make([]byte, 1<<20), 1<<20)
  for in.Scan() {
    var line string
    if json.Unmarshal(in.Bytes(), &line) != nil { panic("line") }
    var b body
    err := json.NewDecoder(strings.NewReader(line)).Decode(&b)
    form, _ := url.ParseQuery(line)
    fmt.Printf("%t %t %t %t\\n", err == nil && b.Amount > 10000, err == nil && b.Role == "admin", err == nil && b.Kiss != nil, form.Get("role") == "admin")
  }
}
`;
const pythonSource = `
import json, sys
from decimal import Decimal
from urllib.parse import parse_qs
def text(v): return 'true' if v else 'false'
for line in sys.stdin:
    body = json.loads(line)
    try: one = json.loads(body)
    except Exception: one = None
    try: exact = json.loads(body, parse_float=Decimal)
    except Exception: exact = None
    def amount(o):
        v = o.get('amount') if isinstance(o, dict) else None
        return isinstance(v, (int, float, Decimal)) and not isinstance(v, bool) and v > 10000
    role = one.get('role') if isinstance(one, dict) else None
    form = parse_qs(body, errors='replace')
    print(text(amount(one) or amount(exact)), text(role == 'admin' or (isinstance(role, list) and 'admin' in role)), text(isinstance(one, dict) and one.get('kiss') is not None), text('admin' in form.get('role', [])))
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'hoop-servers-'));
  writeFileSync(path.join(folder, 'main.go'), goSource);
  writeFileSync(path.join(folder, 'main.py'), pythonSource);
});
afterAll(() => rmSync(folder, { recursive: true }));

const questions = [
  ['has(request.body.amount) && request.body.amount > 10000', 'application/json'],
  ['has(request.body.role) && (request.body.role == "admin" || "admin" in [request.body.role])', 'application/json'],
  ['has(request.body.kiss)', 'application/json'],
  ['has(request.body.role) && "admin" in request.body.role', 'application/x-www-form-urlencoded'],
] as const;

function isFalse(condition: string, body: string, type: string): boolean {
  const facts: Facts = {
    request: { method: 'POST', path: '/', query: {}, headers: {}, ...readInspectedBody(new TextEncoder().encode(body), type) },
    identity: { name: '', issuer: '', subject: '', claims: {}, labels: {} },
    connection: { name: '' },
    context: {},
    now: 0,
  };
  return compileCondition(condition, requestEnvironment).evaluate(facts, {}) === false;
}

/** For each body, what the server answers to each question. */
function ask(command: string, args: readonly string[], bodies: readonly string[]): boolean[][] {
  const input = bodies.map((body) => `${JSON.stringify(body)}\n`).join('');
  const { stdout, stderr, status } = spawnSync(command, args, { input, encoding: 'utf8', cwd: folder, maxBuffer: 64 * 1024 * 1024 });
  expect(status, stderr).toBe(0);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').map((word) => word === 'true'));
}

const name = fc.constantFrom(
  'amount',
  'Amount',
  'AMOUNT',
  'role',
  'Role',
  'ro\u200dle',
  'kiss',
  '\u212aiss',
  'ki\u017f\u017f',
  'amount\0x',
  'r\\u006fle',
  'other',
);
const value = fc.constantFrom(
  '5',
  '50000',
  '10000.0000000000001',
  '1e999',
  '"admin"',
  '"user"',
  '["admin"]',
  '[["admin"]]',
  'null',
  '{"0":"admin"}',
  'true',
  '9007199254740993',
);
const member = fc.tuple(name, value).map(([key, one]) => `"${key}":${one}`.replaceAll('\0', '\\u0000'));
const json = fc.array(member, { maxLength: 4 }).map((members) => `{${members.join(',')}}`);
const around = fc
  .tuple(fc.constantFrom('', ' ', '\ufeff', '[', '"'), json, fc.constantFrom('', ' ', '{}', '&role=admin', ','))
  .map((parts) => parts.join(''));
const field = fc
  .tuple(
    fc.constantFrom('role', 'Role', 'role[]', 'r%6fle', 'role%00', '%20role', 'x'),
    fc.constantFrom('admin', 'user', 'a;role=admin', '%61dmin'),
  )
  .map((parts) => parts.join('='));
const form = fc.array(field, { maxLength: 4 }).chain((fields) => fc.constantFrom('&', ';').map((between) => fields.join(between)));

describe('a condition is not false where a server sees what it asks for:', () => {
  const bodies = fc.sample(fc.oneof(json, around, form), { numRuns: 20_000, seed: 7 });

  it.each([
    ['Go', 'go', ['run', 'main.go']],
    ['Python', 'python3', ['main.py']],
  ])('%s', (_server, command, args) => {
    const answers = ask(command, args, bodies);
    expect(answers).toHaveLength(bodies.length);
    const seen = questions.map(() => 0);
    const missed: string[] = [];
    for (const [i, body] of bodies.entries()) {
      for (const [j, [condition, type]] of questions.entries()) {
        if (answers[i]![j] !== true) continue;
        seen[j]!++;
        if (isFalse(condition, body, type)) missed.push(`${condition} over ${body}`);
        // and a server that does not look at the type reads JSON in a form
        if (j < 3 && isFalse(condition, body, 'application/x-www-form-urlencoded')) missed.push(`${condition} over ${body} as a form`);
      }
    }
    expect(missed.slice(0, 20)).toEqual([]);
    expect(Math.min(...seen)).toBeGreaterThan(100);
  });

  it('Go folds no two names that we do not', () => {
    const letters = ['k', 's', 'a', '\u00e5', '\u03c3', '\u00df', '\u0131', 'i'];
    const source = `package main
import ("fmt"; "strings"; "unicode/utf8")
func main() { for c := rune(1); c < 0x20000; c++ { if !utf8.ValidRune(c) { continue }
  for _, l := range []string{${letters.map((letter) => JSON.stringify(letter)).join(',')}} { if l != string(c) && strings.EqualFold(l, string(c)) { fmt.Printf("%s %x\\n", l, c) } } } }
`;
    writeFileSync(path.join(folder, 'fold.go'), source);
    const { stdout, stderr, status } = spawnSync('go', ['run', 'fold.go'], { encoding: 'utf8', cwd: folder });
    expect(status, stderr).toBe(0);
    const pairs = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' '));
    expect(pairs.length).toBeGreaterThan(8);
    for (const [letter, code] of pairs) expect(foldName(String.fromCodePoint(Number.parseInt(code!, 16)))).toBe(foldName(letter!));
  });
});
