/** Conditions over requests that a server could read otherwise: then they are not false, so that a rule restricts. */
import { describe, expect, it } from 'vitest';

import { headerFacts, readInspectedBody } from '../body/inspected-body.ts';
import type { Facts } from '../facts.ts';
import { compileCondition } from './condition.ts';
import { requestEnvironment } from './environment.ts';
import { Fault } from './values.ts';

const form = 'application/x-www-form-urlencoded';

interface Sent {
  readonly body?: string;
  readonly type?: string | undefined;
  readonly query?: string;
  readonly headers?: readonly (readonly [string, string])[];
}

/** Evaluates the condition over the bytes of a request. */
function outcome(condition: string, sent: Sent): 'true' | 'false' | 'restricts' {
  const { body = '', query = '', headers = [] } = sent;
  const read = readInspectedBody(new TextEncoder().encode(body), 'type' in sent ? sent.type : 'application/json');
  const values = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of new URLSearchParams(query)) (values[name] ??= []).push(value);
  const facts: Facts = {
    request: { method: 'POST', path: '/v1/users', query: values, headers: headerFacts(headers), ...read },
    identity: { name: 'nightly', issuer: '', subject: '', claims: {}, labels: {} },
    connection: { name: 'users' },
    context: {},
    now: 0,
  };
  const value = compileCondition(condition, requestEnvironment).evaluate(facts, {});
  if (value instanceof Fault) return 'restricts';
  return value ? 'true' : 'false';
}

const large = 'request.body.amount > 10000';
const largeIfThere = 'has(request.body.amount) && request.body.amount > 10000';
const admin = 'request.body.role == "admin"';
const adminIfThere = 'has(request.body.role) && request.body.role == "admin"';

describe('a member name that a server could take for another', () => {
  it.each([
    ['in another case beside it', large, '{"amount":5,"Amount":50000}'],
    ['in another case alone', large, '{"Amount":50000}'],
    ['in another case alone, asked for first', largeIfThere, '{"Amount":50000}'],
    ['in another case, nested', 'has(request.body.order.amount) && request.body.order.amount > 1', '{"order":{"AMOUNT":5}}'],
    ['in another case, of the parent', 'has(request.body.order) && request.body.order.amount > 1', '{"Order":{"amount":5}}'],
    ['in another case, in a list', 'request.body.items.exists(i, has(i.amount) && i.amount > 1)', '{"items":[{"Amount":5}]}'],
    ['in another case, by index', '"amount" in request.body && request.body["amount"] > 1', '{"aMount":5}'],
    ['in another case, over all names', 'request.body.exists(name, name == "admin")', '{"Admin":true}'],
    ['in another case, over a list of names', 'request.body.exists(name, name in ["admin", "root"])', '{"Admin":true}'],
    ['in another case, in a whole', 'request.body == {"role": "admin"}', '{"Role":"admin"}'],
    ['with a Kelvin sign', 'has(request.body.kind)', '{"\u212aind":1}'],
    ['with a long s', 'has(request.body.sum)', '{"\\u017fum":1}'],
    ['up to a NUL', largeIfThere, '{"amount\\u0000x":50000}'],
    ['in snake case for camel case', 'has(request.body.cardNumber)', '{"card_number":"4111"}'],
    ['twice', large, '{"amount":5,"amount":50000}'],
    ['twice, once as an escape', large, '{"amount":5,"\\u0061mount":50000}'],
    ['__proto__ in another case', 'has(request.body.__proto__)', '{"__PROTO__":{"role":"admin"}}'],
  ])('%s', (_what, condition, body) => {
    expect(outcome(condition, { body })).toBe('restricts');
  });

  it.each([
    ['a form, in another case', adminIfThere, 'Role=admin'],
    ['a form, as a list of PHP and Rails', adminIfThere, 'role[]=admin'],
    ['a form, as a numbered list', adminIfThere, 'role[0]=admin'],
    ['a form, beside the plain name', 'request.body.role == ["user"]', 'role=user&role[]=admin'],
    ['a form, twice in two cases', 'request.body.role == ["user"]', 'role=user&ROLE=admin'],
    ['a form, as a part', 'has(request.body.user) && request.body.user.role == "admin"', 'user[role]=admin'],
    ['a form, as a part after a dot', 'has(request.body.user) && request.body.user.role == "admin"', 'user.role=admin'],
    ['a form, with a dot that PHP reads as an underscore', 'has(request.body.user_role)', 'user.role=admin'],
    ['a form, beside the name that PHP reads a dot as', 'request.body.user_role == ["user"]', 'user_role=user&user.role=admin'],
    ['a form, in brackets, which qs leaves out', adminIfThere, '[role]=admin'],
    ['a form, with a space before', adminIfThere, '+role=admin'],
    ['a form, up to a NUL', adminIfThere, 'role%00x=admin'],
    ['a form, after a semicolon', adminIfThere, 'x=1;role=admin'],
    ['a form, after a semicolon of its own value', 'request.body.role == ["user"]', 'role=user;role=admin'],
  ])('of %s', (_what, condition, body) => {
    expect(outcome(condition, { body, type: form })).toBe('restricts');
    expect(
      outcome(
        condition
          .replaceAll('request.body', 'request.query')
          .replace('== "admin"', '== ["admin"]')
          .replace(/ && request\.query\.user\.role.*/, ''),
        { query: body },
      ),
    ).toBe('restricts');
  });

  it('of headers, where CGI reads an underscore as a dash', () => {
    const condition = '"x-role" in request.headers && request.headers["x-role"] == "admin"';
    expect(outcome(condition, { headers: [['x_role', 'admin']] })).toBe('restricts');
    expect(
      outcome(condition, {
        headers: [
          ['x-role', 'user'],
          ['x_role', 'admin'],
        ],
      }),
    ).toBe('restricts');
    expect(outcome(condition, { headers: [['x-roles', 'admin']] })).toBe('false');
  });

  it('and no other name', () => {
    expect(outcome(largeIfThere, { body: '{"amounts":50000,"total":1}' })).toBe('false');
    expect(outcome(large, { body: '{"amount":5,"amounts":50000}' })).toBe('false');
    expect(outcome(adminIfThere, { body: 'rôle=admin&roles[]=admin', type: form })).toBe('false');
    expect(outcome('request.body["items[0]"] == ["a"]', { body: 'items[0]=b&items[1]=a', type: form })).toBe('false');
    expect(outcome('request.body.all(name, name in ["amount", "currency"])', { body: '{"amount":1,"currency":"EUR"}' })).toBe('true');
  });
});

describe('a value of another type than the one compared with', () => {
  it.each([
    ['a form where JSON was meant', admin, 'role=admin', form],
    ['a form with another value too', admin, 'role=user&role=admin', form],
    ['a list', admin, '{"role":["admin"]}'],
    ['a list in a list', admin, '{"role":[["admin"]]}'],
    ['a list with others', admin, '{"role":["user","admin"]}'],
    ['a map as PHP numbers lists', admin, '{"role":{"0":"admin"}}'],
    ['a list, as one of several', 'request.body.role in ["root", "admin"]', '{"role":["admin"]}'],
    ['a text for a number', 'request.body.amount == 10', '{"amount":"10"}'],
    ['a text for a number, spelled otherwise', 'request.body.amount == 10', '{"amount":" 1e1"}'],
    ['a text that begins with a number', 'request.body.amount == 10', '{"amount":"10 EUR"}'],
    ['a number for a text', 'request.body.id == "10"', '{"id":10}'],
    ['a number for a truth', 'request.body.admin == true', '{"admin":1}'],
    ['a text for a truth', 'request.body.admin == true', '{"admin":"on"}'],
    ['a truth for a text', 'request.body.admin == "true"', '{"admin":true}'],
    ['null for zero, as Go reads it', 'request.body.limit == 0', '{"limit":null}'],
    ['null for nothing', 'request.body.note == ""', '{"note":null}'],
    ['null for false', 'request.body.safe == false', '{"safe":null}'],
    ['a text that goes on after a NUL', admin, '{"role":"admin\\u0000x"}'],
    ['a text joined from a list', 'request.body.tags == "a,b"', '{"tags":["a","b"]}'],
    ['a map for a list', 'request.body.tags == ["a","b"]', '{"tags":{"0":"a","1":"b"}}'],
    ['a map for a list, looped over', 'request.body.roles.exists(r, r == "admin")', '{"roles":{"0":"admin"}}'],
    ['a map for a list, looped over with all', 'request.body.roles.all(r, r == "user")', '{"roles":{"user":"admin"}}'],
    ['a map for a list as the whole', 'request.body.exists(r, r == "admin")', '{"0":"admin"}'],
    ['a map for a list, asked for membership', '"admin" in request.body.roles', '{"roles":{"0":"admin"}}'],
    ['a text for a list, asked for membership', '"admin" in request.body.roles', '{"roles":"admin"}'],
    ['a text for a number, ordered', large, '{"amount":"50000"}'],
    ['a list for a number, ordered', large, '{"amount":[50000]}'],
    ['a form for a number, ordered', large, 'amount=50000', form],
    ['something else in the place of the parent', 'request.body.user.role == "admin"', '{"user":[{"role":"admin"}]}'],
    ['a list in the place of the whole', adminIfThere, '[{"role":"admin"}]'],
    ['nothing', admin, ''],
  ])('%s', (_what, condition, body, type?: string) => {
    const sent = { body, ...(type === undefined ? {} : { type }) };
    expect(outcome(condition, sent)).toBe('restricts');
    // and an allow of the opposite does not allow
    expect(outcome(`!(${condition})`, sent)).toBe('restricts');
  });

  it.each([
    ['a form with another value', admin, 'role=user', form],
    ['a list of others', admin, '{"role":["user"]}'],
    ['null', admin, '{"role":null}'],
    ['a number', admin, '{"role":5}'],
    ['an empty list', admin, '{"role":[]}'],
    ['another text', admin, '{"role":"user"}'],
    ['another text for null', 'request.body.note == null', '{"note":"x"}'],
    ['another number for a text', 'request.body.id == "10"', '{"id":11}'],
    ['a list of another length', 'request.body.tags == ["a","b"]', '{"tags":["a"]}'],
    ['a map that is one', 'request.body.prices.exists(name, request.body.prices[name] > 10)', '{"prices":{"a":5}}'],
  ])('but not %s', (_what, condition, body, type?: string) => {
    expect(outcome(condition, { body, ...(type === undefined ? {} : { type }) })).toBe('false');
  });
});

describe('a body in another form than the one that was meant', () => {
  it.each([
    ['JSON without a type', undefined, '{"role":"admin"}'],
    ['JSON as text', 'text/plain', '{"role":"admin"}'],
    ['JSON as a form, which is what curl -d sends', form, '{"role":"admin"}'],
    ['JSON in UTF-7', 'application/json; charset=utf-7', '{"role":"admin"}'],
    ['JSON with a byte order mark', 'application/json', '\ufeff{"role":"admin"}'],
    ['JSON with a comment', 'application/json', '{"role":"admin"/**/}'],
    ['JSON with a trailing comma', 'application/json', '{"role":"admin",}'],
    ['a form with parts', 'multipart/form-data; boundary=b', '--b\r\ncontent-disposition: form-data; name=role\r\n\r\nadmin\r\n--b--'],
    ['XML', 'application/xml', '<role>admin</role>'],
  ])('restricts: %s', (_what, type, body) => {
    for (const condition of [admin, adminIfThere, `${admin} || false`]) expect(outcome(condition, { body, type })).toBe('restricts');
  });

  it('is read whatever the case of its type', () => {
    for (const type of ['APPLICATION/JSON', 'Application/Json;Charset=UTF-8'])
      expect(outcome(admin, { body: '{"role":"admin"}', type })).toBe('true');
  });
});

describe('a number that no double holds', () => {
  it.each([
    ['a little more than the limit', large, '{"amount":10000.0000000000001}', 'restricts'],
    ['a little less than the limit', 'request.body.amount >= 10000', '{"amount":9999.99999999999999999}', 'restricts'],
    ['as much as the limit after rounding', 'request.body.amount == 10000', '{"amount":10000.0000000000001}', 'restricts'],
    ['one more than 2^53', 'request.body.id == 9007199254740992', '{"id":9007199254740993}', 'restricts'],
    ['in a list', '9007199254740992 in request.body.ids', '{"ids":[9007199254740993]}', 'restricts'],
    ['in arithmetic', 'request.body.amount * 2 > 1', '{"amount":10000.0000000000001}', 'restricts'],
    ['as a text', 'string(request.body.id) == "1"', '{"id":9007199254740993}', 'restricts'],
    ['converted', 'int(request.body.id) > 1', '{"id":9007199254740993}', 'restricts'],
    ['beyond every double', large, '{"amount":1e999}', 'true'],
    ['far beyond the limit', large, '{"amount":99999999999999999999}', 'true'],
    ['well under the limit', large, '{"amount":1.00000000000000000001}', 'false'],
    ['elsewhere in the body', large, '{"id":9007199254740993,"amount":5}', 'false'],
    ['with zeros only', large, '{"amount":10000.00000000000000000000}', 'false'],
  ])('%s', (_what, condition, body, expected) => {
    expect(outcome(condition, { body })).toBe(expected);
  });
});
