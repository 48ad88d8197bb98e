import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { schemaText } from './schema.ts';

test('docs/tollgate.schema.json is the schema the loader uses (write it with: node scripts/schema.ts)', () => {
  const file = resolve(import.meta.dirname, '..', '..', 'docs', 'tollgate.schema.json');
  assert.equal(readFileSync(file, 'utf8'), schemaText());
});
