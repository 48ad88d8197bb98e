// Reads what a configuration writes with a unit: durations, prices, shares, dates. Exact, or undefined.

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export const durationForm = /^(\d{1,9}(?:\.\d{1,3})?)\s*(ms|s|m|h|d)$/;

/** `30s`, `2m`, `500ms` as whole milliseconds. A bare number is refused: its unit would be a guess. */
export function parseDuration(text: string): number | undefined {
  const match = durationForm.exec(text);
  if (!match) return undefined;
  const ms = Number(match[1]) * (unitMs[match[2] ?? ''] ?? Number.NaN);
  return Number.isSafeInteger(ms) && ms > 0 ? ms : undefined;
}

const unitBytes: Readonly<Record<string, number>> = {
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** `64MB` (10^6), `64MiB` (2^20) as bytes. A bare number is refused: its unit would be a guess. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d{1,9})\s*([KMG]i?B)$/.exec(text);
  const bytes = match ? Number(match[1]) * (unitBytes[match[2] ?? ''] ?? Number.NaN) : Number.NaN;
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

/** USD for a million tokens as pico-USD a token: 2.50 is 2,500,000. Undefined where it is finer than that. */
export function picoPerToken(usdPerMillion: number): number | undefined {
  return scaled(usdPerMillion, 6);
}

/** USD for one piece (an image, a search, a second) as pico-USD. */
export function picoPerPiece(usd: number): number | undefined {
  return scaled(usd, 12);
}

/** Above 10,000 USD per million tokens, and below 0.0001, a price per token was written as one per million, or the other way. */
const plausiblePerToken = { least: 100, most: 10_000_000_000 };
/** 100 USD. */
const pieceMost = 100_000_000_000_000;

/** Why a price looks like a slip of units; undefined where it does not. Pico-USD a token or a piece; 0 is a decision. */
export function suspiciousPrice(pico: number, of: 'token' | 'piece'): string | undefined {
  if (of === 'piece') return pico > pieceMost ? 'is above 100 USD a piece' : undefined;
  if (pico > plausiblePerToken.most) return 'is above 10000 USD per million tokens, which is the unit here';
  if (pico > 0 && pico < plausiblePerToken.least)
    return 'is below 0.0001 USD per million tokens, which is the unit here';
  return undefined;
}

/** `50%`, `175%` or 1.75 as an exact fraction: at most 100 times, 4 decimals. */
export function parseMultiple(value: string | number): readonly [number, number] | undefined {
  const percent = typeof value === 'string' ? /^(\d{1,5}(?:\.\d{1,2})?)\s*%$/.exec(value)?.[1] : undefined;
  const parts = typeof value === 'number' ? scaled(value, 4) : percent ? scaled(Number(percent), 2) : undefined;
  return parts !== undefined && parts <= 1_000_000 ? [parts, 10_000] : undefined;
}

/** value × 10^digits as an integer, by its decimal digits: floats would make 0.29 × 100 into 28.999. */
function scaled(value: number, digits: number): number | undefined {
  if (!Number.isFinite(value) || value < 0) return undefined;
  const match = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  if (!match) return undefined;
  const fraction = match[2] ?? '';
  const shift = digits + Number(match[3] ?? 0) - fraction.length;
  let whole = BigInt((match[1] ?? '') + fraction);
  if (shift >= 0) whole *= 10n ** BigInt(shift);
  else {
    const divisor = 10n ** BigInt(-shift);
    if (whole % divisor !== 0n) return undefined;
    whole /= divisor;
  }
  return whole <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(whole) : undefined;
}

/** `80%` or 0.8 as 0.8. */
export function parseShare(value: string | number): number | undefined {
  if (typeof value === 'number') return value > 0 && value <= 1 ? value : undefined;
  const match = /^(\d{1,3}(?:\.\d+)?)%$/.exec(value);
  const share = match ? Number(match[1]) / 100 : Number.NaN;
  return share > 0 && share <= 1 ? share : undefined;
}

/** `2026-01-01` (midnight UTC) or an ISO instant with its zone, as epoch ms. */
export function parseInstant(text: string): number | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.exec(text);
  if (!match) return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at)) return undefined;
  // Date.parse turns 2026-02-30 into March.
  const day = new Date(`${match[1]}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(match[1] ?? '-') ? at : undefined;
}

/** `127.0.0.1:8080`, `[::1]:8080`, `:8080` or a bare port. */
export function parseAddress(text: string): { host: string; port: number } | undefined {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]*)):)?(\d{1,5})$/.exec(text);
  if (!match) return undefined;
  const port = Number(match[3]);
  return port <= 65535 ? { host: match[1] ?? (match[2] || '127.0.0.1'), port } : undefined;
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
