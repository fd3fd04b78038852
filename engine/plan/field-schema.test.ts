import assert from 'node:assert/strict';
import test from 'node:test';
import { secret, text, z } from '../contract/fields.ts';
import { optionsOf, redactConfig, schemasAt, secretPaths } from './field-schema.ts';

const fields = {
  user: text({ doc: 'Name.' }),
  password: secret({ doc: 'Password.' }).optional(),
  servers: z.array(z.strictObject({ url: z.string(), token: secret({ doc: 'Token.' }) })),
  keys: z.record(z.string(), secret({ doc: 'Key.' })).default({}),
  login: z.union([z.literal('none'), z.strictObject({ pin: secret({ doc: 'Pin.' }) })]).optional(),
};

const config = {
  user: 'me',
  password: 'one',
  servers: [
    { url: 'a', token: 'two' },
    { url: 'b', token: 'three' },
  ],
  keys: { x: 'four' },
  login: { pin: 'five' },
};

test('secrets are found wherever they are nested, and hidden in a copy', () => {
  assert.deepEqual(
    secretPaths(fields, config).map((path) => path.join('.')),
    ['password', 'servers.0.token', 'servers.1.token', 'keys.x', 'login.pin'],
  );
  const shown = JSON.stringify(redactConfig(fields, config));
  assert.doesNotMatch(shown, /one|two|three|four|five/);
  assert.match(shown, /"user":"me"/);
  assert.equal(config.servers[0]!.token, 'two');
});

test('a value of another kind than declared hides nothing and breaks nothing', () => {
  for (const odd of [null, 3, 'text', [], { servers: 3, keys: [1], login: null, __proto__: [] }]) {
    assert.deepEqual(secretPaths(fields, odd), []);
  }
});

test('the schema at a path is found through lists, mappings, defaults and unions', () => {
  const schema = z.strictObject(fields);
  const optionsAt = (...path: (string | number)[]): string[] =>
    schemasAt(schema, path).flatMap((at) => Object.keys(optionsOf(at) ?? {}));
  assert.deepEqual(optionsAt('servers', 0), ['url', 'token']);
  assert.deepEqual(optionsAt('login'), ['pin']);
  assert.deepEqual(optionsAt('keys', 'x'), []);
  assert.deepEqual(schemasAt(schema, ['nothing', 'here']), []);
});
