// Money: integers of nano-USD everywhere. This file is the only place where text becomes money and money text.

/** An integer count of nano-USD (10^9 to the dollar), at most 2^53 - 1. */
export type NanoUsd = number;

const limit = Number.MAX_SAFE_INTEGER;

/** Reads `20 USD`, `0.01 USD`, `$5` or a bare number of dollars. Undefined where it is not an exact amount. */
export function parseUsd(text: string | number): NanoUsd | undefined {
  const match = /^\s*\$?\s*(\d{1,10})(?:\.(\d{1,9}))?\s*(?:USD)?\s*$/i.exec(plain(text));
  if (!match) return undefined;
  const nano = Number(match[1]) * 1e9 + Number((match[2] ?? '').padEnd(9, '0'));
  return nano <= limit ? nano : undefined;
}

/** YAML and JSON hand small amounts over as floats such as 1e-7; write them out before they are read. */
function plain(text: string | number): string {
  if (typeof text === 'string') return text;
  return Number.isFinite(text) ? text.toFixed(9).replace(/\.?0+$/, '') : '';
}

/** Formats exactly, without exponent or rounding: `0.000123`. By arithmetic: three of them stand in every answer and its metrics. */
export function formatUsd(nano: NanoUsd): string {
  const amount = Math.abs(nano);
  const sign = nano < 0 ? '-' : '';
  const dollars = Math.floor(amount / 1e9);
  let fraction = amount % 1e9;
  if (fraction === 0) return `${sign}${dollars}`;
  let places = 9;
  for (; fraction % 10 === 0; places--) fraction /= 10;
  return `${sign}${dollars}.${String(fraction).padStart(places, '0')}`;
}
