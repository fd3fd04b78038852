import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operatorCompliance } from '../engine/testing/operator-compliance.ts';
import { operators } from './catalog.ts';

test('the catalogue is sorted and names each operator once', () => {
  const names = operators.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)].sort());
});

for (const definition of operators) operatorCompliance(definition);
