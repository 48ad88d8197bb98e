import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { refusals } from './refusal.ts';

test('docs/refusals.md says what the table says', () => {
  const document = readFileSync(new URL('../../docs/refusals.md', import.meta.url), 'utf8');
  const rows = [...document.matchAll(/^\| `(\w+)` \| (\d+) \| (\w+) \| (yes|no) \| \S/gm)].map(([, ...row]) => row);
  const table = Object.entries(refusals).map(([code, { status, fault, retryable }]) => [
    code,
    String(status),
    fault,
    retryable ? 'yes' : 'no',
  ]);
  assert.deepEqual(rows, table);
});
