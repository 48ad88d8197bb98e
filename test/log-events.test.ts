// The names of what is logged are an interface: alerts are written against them, in one style.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';

test('every event that is logged is named in snake_case', () => {
  const root = resolve(import.meta.dirname, '../src');
  const names = new Set<string>();
  for (const file of globSync('**/*.ts', { cwd: root })) {
    if (file.endsWith('.test.ts')) continue;
    const text = readFileSync(resolve(root, file), 'utf8');
    for (const [, name = ''] of text.matchAll(/\blog(?:\.(?:debug|info|warn|error)|\[[^\n]*?\])\(\s*'([^']*)'/g))
      names.add(name);
  }
  assert.ok(names.size > 30, `${names.size} events`);
  assert.deepEqual(
    [...names].filter((name) => !/^[a-z]+(?:_[a-z]+)*$/.test(name)),
    [],
  );
});
