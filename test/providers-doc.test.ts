import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { file, providersDocument } from '../scripts/providers-doc.ts';

test('docs/providers.md says what the table says', () => {
  assert.equal(readFileSync(file, 'utf8'), providersDocument(), 'run `node scripts/providers-doc.ts`');
});
