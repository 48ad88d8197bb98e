/// <reference lib="esnext.temporal" />
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Period } from '../exchange/caller.ts';
import { createCalendars, readWindowId } from './window.ts';

const cases: readonly [Period, string, string, string, string][] = [
  ['minute', 'UTC', '2026-03-05T10:11:12Z', '2026-03-05T10:11Z', '2026-03-05T10:12Z'],
  ['hour', 'UTC', '2026-03-05T10:11:12Z', '2026-03-05T10:00Z', '2026-03-05T11:00Z'],
  ['hour', 'Asia/Kolkata', '2026-03-05T10:11:12Z', '2026-03-05T09:30Z', '2026-03-05T10:30Z'],
  ['day', 'UTC', '2026-03-05T10:11:12Z', '2026-03-05T00:00Z', '2026-03-06T00:00Z'],
  ['day', 'Europe/Berlin', '2026-01-10T23:30:00Z', '2026-01-10T23:00Z', '2026-01-11T23:00Z'],
  // The clocks go forward (23 hours) and back (25 hours).
  ['day', 'Europe/Berlin', '2026-03-29T12:00:00Z', '2026-03-28T23:00Z', '2026-03-29T22:00Z'],
  ['day', 'Europe/Berlin', '2026-10-25T12:00:00Z', '2026-10-24T22:00Z', '2026-10-25T23:00Z'],
  // Both hours from 2 to 3 of the autumn night have a window.
  ['hour', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-25T00:00Z', '2026-10-25T01:00Z'],
  ['hour', 'Europe/Berlin', '2026-10-25T01:30:00Z', '2026-10-25T01:00Z', '2026-10-25T02:00Z'],
  // Midnight does not exist on this day in Beirut: it begins at one o'clock.
  ['day', 'Asia/Beirut', '2026-03-29T12:00:00Z', '2026-03-28T22:00Z', '2026-03-29T21:00Z'],
  ['week', 'UTC', '2026-03-05T10:11:12Z', '2026-03-02T00:00Z', '2026-03-09T00:00Z'],
  ['week', 'UTC', '2026-03-01T23:59:59Z', '2026-02-23T00:00Z', '2026-03-02T00:00Z'],
  ['week', 'America/New_York', '2026-03-08T12:00:00Z', '2026-03-02T05:00Z', '2026-03-09T04:00Z'],
  ['month', 'UTC', '2028-02-29T00:00:00Z', '2028-02-01T00:00Z', '2028-03-01T00:00Z'],
  ['month', 'America/New_York', '2026-12-31T23:00:00Z', '2026-12-01T05:00Z', '2027-01-01T05:00Z'],
];

for (const [per, timezone, now, start, end] of cases) {
  test(`${per} in ${timezone} at ${now} is ${start} to ${end}`, () => {
    const window = createCalendars()(per, timezone).at(Date.parse(now));
    assert.deepEqual([window.startsAt, window.endsAt], [Date.parse(start), Date.parse(end)]);
    assert.deepEqual(readWindowId(window.id), { per, timezone, startsAt: Date.parse(start) });
  });
}

test('a lifetime never ends', () => {
  const window = createCalendars()('lifetime', 'Europe/Berlin').at(5);
  assert.deepEqual([window.id, window.endsAt], ['lifetime', Number.POSITIVE_INFINITY]);
});

test('windows hold their moment, and each begins where the one before ends', () => {
  const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'America/Havana', 'Asia/Beirut', 'Australia/Sydney'];
  const from = Date.parse('2020-01-01T00:00Z');
  const calendars = createCalendars();
  fc.assert(
    fc.property(
      fc.integer({ min: from, max: from + 15 * 365 * 86_400_000 }),
      fc.constantFrom(...zones, 'America/St_Johns', 'Africa/Cairo', 'Pacific/Apia', 'America/Asuncion'),
      fc.constantFrom<Period>('minute', 'hour', 'day', 'week', 'month'),
      (now, zone, per) => {
        const calendar = calendars(per, zone);
        const window = calendar.at(now);
        assert.ok(window.startsAt <= now && now < window.endsAt);
        assert.deepEqual(createCalendars()(per, zone).at(window.startsAt), window);
        assert.equal(calendar.at(window.endsAt).startsAt, window.endsAt);
      },
    ),
    { seed: 5, numRuns: 800 },
  );
});

test('what is no window id is not read as one', () => {
  for (const text of ['', 'day', 'day/UTC', 'year/UTC/2026-01-01T00:00Z', 'day/UTC/yesterday']) {
    assert.equal(readWindowId(text), undefined);
  }
});

test('A15: in every zone, over 400 days, a day ends where the calendar of Temporal says', () => {
  const from = Date.parse('2026-01-01T12:00Z');
  const dayMs = 86_400_000;
  const wrong: string[] = [];
  for (const zone of Intl.supportedValuesOf('timeZone')) {
    const calendar = createCalendars()('day', zone);
    let date = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(zone).toPlainDate();
    for (let now = from; now < from + 400 * dayMs; ) {
      const next = date.add({ days: 1 });
      const expected = next.toZonedDateTime(zone).epochMilliseconds;
      const { endsAt } = calendar.at(now);
      if (endsAt !== expected) wrong.push(`${zone} ${date}: ${endsAt - expected} ms apart`);
      date = next;
      now = expected;
    }
  }
  assert.deepEqual(wrong, []);
});
