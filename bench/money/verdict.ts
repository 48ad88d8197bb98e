// What a row says at its end: its figures, and whether they hold.

export interface Verdict {
  readonly row: string;
  readonly what: string;
  /** In the order they are printed. */
  readonly figures: Readonly<Record<string, string | number>>;
  /** Why it does not hold; none where it does. */
  readonly misses: readonly string[];
}

export function usd(nano: number): string {
  return `$${(nano / 1e9).toFixed(6)}`;
}

export function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`;
}

/** The value below which this share of them lies; 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export function print({ row, what, figures, misses }: Verdict): void {
  console.log(`${row}  ${what}`);
  for (const [name, value] of Object.entries(figures)) console.log(`    ${name.padEnd(34)} ${value}`);
  console.log(misses.length === 0 ? `    ${row} holds` : misses.map((miss) => `    ${row} MISSED: ${miss}`).join('\n'));
}
