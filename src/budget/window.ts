// The windows of time in which budgets are counted: when one began, when it ends, and the name it has in the journal.

import type { Period } from '../exchange/caller.ts';

export interface Window {
  /** `day/Europe/Berlin/2026-11-20T23:00Z`: period, zone, start; `lifetime` for the one that never ends. */
  readonly id: string;
  /** Epoch ms. */
  readonly startsAt: number;
  /** Epoch ms; Infinity for a lifetime. */
  readonly endsAt: number;
}

/** All windows of one period in one zone. */
export interface Calendar {
  readonly per: Period;
  readonly timezone: string;
  at(now: number): Window;
}

const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 86_400_000;
const lifetime: Window = { id: 'lifetime', startsAt: 0, endsAt: Number.POSITIVE_INFINITY };

/** One calendar for each period and zone. An unknown zone throws RangeError; the configuration checks zones first. */
export function createCalendars(): (per: Period, timezone: string) => Calendar {
  const made = new Map<string, Calendar>();
  return (per, timezone) => {
    const zone = per === 'lifetime' ? 'UTC' : timezone;
    const key = `${per}/${zone}`;
    let calendar = made.get(key);
    if (!calendar) {
      calendar = createCalendar(per, zone);
      made.set(key, calendar);
    }
    return calendar;
  };
}

/** What a window's id says of it; undefined where it is none. */
export function readWindowId(id: string): { per: Period; timezone: string; startsAt: number } | undefined {
  if (id === lifetime.id) return { per: 'lifetime', timezone: 'UTC', startsAt: 0 };
  const first = id.indexOf('/');
  const last = id.lastIndexOf('/');
  const per = id.slice(0, first);
  const startsAt = Date.parse(id.slice(last + 1));
  if (first < 0 || last === first || !isPeriod(per) || Number.isNaN(startsAt)) return undefined;
  return { per, timezone: id.slice(first + 1, last), startsAt };
}

function isPeriod(text: string): text is Period {
  return text === 'minute' || text === 'hour' || text === 'day' || text === 'week' || text === 'month';
}

function createCalendar(per: Period, timezone: string): Calendar {
  const zone = createZone(timezone);
  // Asked many times within one window, so the last answer is kept: finding it anew asks the time zone's rules.
  let last: Window | undefined;
  return {
    per,
    timezone,
    at(now) {
      if (per === 'lifetime') return lifetime;
      if (last && now >= last.startsAt && now < last.endsAt) return last;
      const [startsAt, endsAt] = bounds(per, zone, now);
      last = { id: `${per}/${timezone}/${new Date(startsAt).toISOString().slice(0, 16)}Z`, startsAt, endsAt };
      return last;
    },
  };
}

function bounds(per: Period, zone: Zone, now: number): [number, number] {
  if (per === 'minute') {
    const start = now - (now % minuteMs);
    return [start, start + minuteMs];
  }
  const local = now + zone.offset(now);
  if (per === 'hour') {
    // Counted from the local full hour by the offset of the moment, so that both hours of an autumn night have one.
    const start = now - (local % hourMs);
    return [start, start + hourMs];
  }
  let date = local - (local % dayMs);
  if (per === 'week') date -= ((date / dayMs + 3) % 7) * dayMs;
  if (per === 'month') date = monthOf(date, 0);
  for (;;) {
    const next = per === 'month' ? monthOf(date, 1) : date + (per === 'week' ? 7 : 1) * dayMs;
    const endsAt = zone.midnight(next);
    // Where a zone turns its clocks back over midnight, a date can come twice: the second time belongs to the next.
    if (now < endsAt) return [zone.midnight(date), endsAt];
    date = next;
  }
}

function monthOf(date: number, ahead: number): number {
  const day = new Date(date);
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + ahead, 1);
}

interface Zone {
  /** Local time minus UTC, ms. */
  offset(at: number): number;
  /** The first instant of a local date, given as that date's midnight in UTC. */
  midnight(date: number): number;
}

function createZone(timezone: string): Zone {
  if (timezone === 'UTC') return { offset: () => 0, midnight: (date) => date };
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const offset = (at: number): number => {
    const field: Record<string, number> = {};
    for (const part of format.formatToParts(at)) field[part.type] = Number(part.value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = field;
    return Date.UTC(year, month - 1, day, hour, minute, second) - (at - (at % 1000));
  };
  return { offset, midnight: (date) => firstInstant(date, offset) };
}

function firstInstant(date: number, offset: (at: number) => number): number {
  const before = date - offset(date - dayMs);
  const after = date - offset(date + dayMs);
  const candidates = before < after ? [before, after] : [after, before];
  for (const candidate of candidates) if (candidate + offset(candidate) === date) return candidate;
  // Midnight does not exist on this date: the day begins at the change of the clocks.
  let low = date - dayMs;
  let high = date + dayMs;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (middle + offset(middle) < date) low = middle;
    else high = middle;
  }
  return high;
}
