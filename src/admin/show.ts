// How amounts, moments and queries are written and read in the control plane.

import { formatUsd, type NanoUsd } from '../exchange/money.ts';
import { Refusal } from '../exchange/refusal.ts';

/** Dollars as a JSON number with the digits of the integer it comes from. Exact up to 4 million USD; beside it goes the integer. */
export function usd(nano: NanoUsd): number {
  return Number(formatUsd(nano));
}

export function instant(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}

const spans: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** `7d` (so long ago), `2026-01-01`, an ISO instant, or epoch ms. Throws `Refusal` where it is none of them. */
export function moment(query: URLSearchParams, name: string, now: number): number | undefined {
  const text = query.get(name);
  if (!text) return undefined;
  const ago = /^(\d{1,4})([mhdw])$/.exec(text);
  if (ago) return now - Number(ago[1]) * (spans[ago[2] ?? ''] ?? 0);
  const at = /^\d{10,15}$/.test(text) ? Number(text) : /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw new Refusal(
    'invalid_request',
    `${name} must be a span such as 7d, a day such as 2026-01-01, or epoch milliseconds.`,
    {
      param: name,
    },
  );
}

export function wholeNumber(query: URLSearchParams, name: string, most: number): number | undefined {
  const text = query.get(name);
  if (!text) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value;
  throw new Refusal('invalid_request', `${name} must be a whole number from 1 to ${most}.`, { param: name });
}

/** Only what was asked for: a key that is absent is not a key that is undefined. */
export function textOf<Name extends string>(
  query: URLSearchParams,
  from: string,
  name: Name,
): { [N in Name]?: string } {
  const value = query.get(from);
  return (value ? { [name]: value } : {}) as { [N in Name]?: string };
}
