// What the table of providers says of recorded streams is what the recordings say.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packedTokens } from '../../bench/estimates.ts';
import { rows } from '../../src/providers/table.ts';
import { recordingsAbsent, recordingsFolder } from '../recordings.ts';

/** Providers whose recordings go by another name. */
const recorded: Readonly<Record<string, string>> = { gemini: 'google' };

test('low-water marks cover two of the largest events that were recorded', () => {
  for (const { name, billing, evidence } of rows) {
    // Groq ran tools of its own and sent their results as one event.
    if (name === 'groq' || !evidence.packed) continue;
    assert.ok(billing.lowWater >= 2 * evidence.packed.most, `${name}: ${billing.lowWater}`);
  }
});

test('the largest events in the table are those of the recordings', {
  skip: recordingsFolder ? false : recordingsAbsent,
}, () => {
  const packed = packedTokens();
  for (const { name, evidence } of rows) {
    const seen = packed.get(recorded[name] ?? name);
    if (!seen || seen.length < 20) continue;
    assert.deepEqual(evidence.packed, { most: Math.max(...seen), events: seen.length }, name);
  }
});
