import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expression, expressions, expressionText, z } from './fields.ts';

const fields = z.strictObject({
  when: expression({ doc: 'Condition.' }).optional(),
  columns: expressions({ doc: 'Columns.' }).optional(),
});

test('an expression is a text, or a bare number or boolean', () => {
  for (const value of ['price > 0', '0', 0, -1.5, true, false]) {
    assert.deepEqual(fields.parse({ when: value, columns: { one: value } }), {
      when: value,
      columns: { one: value },
    });
  }
});

test('anything else is refused where it stands', () => {
  for (const value of [null, [], {}, Number.NaN, Number.POSITIVE_INFINITY]) {
    const { error } = fields.safeParse({ when: value, columns: { one: value } });
    assert.deepEqual(
      error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`),
      ['when expected an expression', 'columns.one expected an expression'],
    );
  }
  assert.equal(fields.safeParse({ when: '' }).success, false);
  assert.equal(fields.safeParse({ columns: { one: '' } }).success, false);
});

test('the text of an expression is what a user would have written in quotes', () => {
  assert.equal(expressionText('a  + 1'), 'a  + 1');
  assert.deepEqual([0, -1.5, true, false].map(expressionText), ['0', '-1.5', 'true', 'false']);
});
