/** The worked examples: valid for the linter and for editors, and their cases hold. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { catalog } from '../catalog.ts';
import { explainPlan, renderPlan } from '../cli/explain-plan.ts';
import { runTestFile } from '../cli/run-tests.ts';
import { pipelineJsonSchema } from '../config/json-schema.ts';
import { violations } from '../config/json-schema.oracle.ts';
import { lintFile } from '../config/lint.ts';
import { renderLints } from '../config/render-lints.ts';

const folder = fileURLToPath(new URL('../../config/pipelines', import.meta.url));
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.yaml'),
);
const pipelines = files.filter((name) => !name.endsWith('.test.yaml'));
const schema = pipelineJsonSchema(catalog);

test('there are worked examples', () => assert.ok(pipelines.length >= 6, `${pipelines.length}`));

for (const name of pipelines) {
  const file = join(folder, name);

  test(`${name} is valid`, async () => {
    const { plan, lints, document } = await lintFile(file, { catalog, environment: {} });
    assert.equal(renderLints(lints), '');
    assert.deepEqual(violations(schema, document), []);
    const lines = renderPlan(explainPlan(plan!, 2)).join('\n');
    for (const step of [...plan!.sources, ...plan!.operators, ...plan!.sinks]) {
      assert.ok(lines.includes(step.name));
    }
  });

  test(`${name} says what it is for, and where editors find its schema`, () => {
    const [first, second, third] = readFileSync(file, 'utf8').split('\n');
    const up = '../'.repeat(name.split('/').length);
    assert.equal(first, `# yaml-language-server: $schema=${up}pipeline.schema.json`);
    assert.equal(second, '#');
    assert.match(third!, /^# [A-Z]/);
  });
}

for (const name of files) {
  test(`the cases of ${name} hold`, async () => {
    const { lints, cases } = await runTestFile(join(folder, name), { environment: {} });
    assert.equal(renderLints(lints), '');
    const failed = cases.filter(({ status }) => status === 'failed');
    assert.deepEqual(failed, []);
    if (name.endsWith('.test.yaml')) assert.ok(cases.length > 0);
  });
}
