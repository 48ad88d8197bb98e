// Figures against goals: rows with ratio and verdict, the table on the terminal and the one in bench/README.md.

import { readFileSync, writeFileSync } from 'node:fs';

export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The highest value that meets the goal; absent: a figure for reading, without a verdict. */
  readonly bound?: number;
  /** The goal in words. */
  readonly goal?: string;
  /** A time, or a share of this machine's CPU, whose goal names no reference: a slower machine takes that much more. */
  readonly absolute?: true;
  /** The figure measured at the speed of that machine, where dividing would not tell it. */
  readonly there?: number;
  /** On the row that tells it: how many times as long this machine takes as the one on which the goals were set. */
  readonly slower?: number;
  /** What the references did, and how far the rounds lay apart. */
  readonly notes: string;
  /** Exchanges that went wrong: no figure stands beside them. */
  readonly errors?: string;
}

export interface Judged {
  /** Measured / goal. */
  readonly ratio: string;
  /** The same at the speed of the machine of the goals; empty where the row needs none, or nothing tells that speed. */
  readonly there: string;
  readonly verdict: 'met' | 'within 1.5×' | 'missed' | 'failed' | '';
}

/** Goals count as ratios, so that an absolute one is judged at the speed of its own machine, where that is known. */
export function judge(row: Row, slower?: number): Judged {
  if (row.errors !== undefined || Number.isNaN(row.value)) return { ratio: '', there: '', verdict: 'failed' };
  if (row.bound === undefined) return { ratio: '', there: '', verdict: '' };
  const ratio = row.value / row.bound;
  const there = row.absolute && slower !== undefined ? (row.there ?? row.value / slower) / row.bound : undefined;
  const counts = there ?? ratio;
  return {
    ratio: ratio.toFixed(2),
    there: there?.toFixed(2) ?? '',
    verdict: counts <= 1 ? 'met' : counts <= 1.5 ? 'within 1.5×' : 'missed',
  };
}

export function slowerOf(rows: readonly Row[]): number | undefined {
  return rows.find((row) => row.slower !== undefined)?.slower;
}

export function digits(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function cells(row: Row, slower: number | undefined): string[] {
  const { ratio, there, verdict } = judge(row, slower);
  const bound = row.bound === undefined ? '' : `≤ ${digits(row.bound)} ${row.unit}${row.goal ? ` (${row.goal})` : ''}`;
  const value = Number.isNaN(row.value) ? '' : `${digits(row.value)} ${row.unit}`;
  return [row.what, value, bound, ratio, there, verdict, row.errors ?? row.notes];
}

const heading = ['what', 'measured', 'goal', 'of goal', 'at its speed', 'verdict', 'beside it'];

function allCells(rows: readonly Row[]): string[][] {
  const slower = slowerOf(rows);
  return rows.map((row) => cells(row, slower));
}

export function plainTable(rows: readonly Row[]): string {
  const lines = [heading, ...allCells(rows)];
  const widths = heading.map((_, place) => Math.max(...lines.map((line) => line[place]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, place) => cell.padEnd(widths[place] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function markdownTable(rows: readonly Row[]): string {
  const lines = [heading, heading.map(() => '---'), ...allCells(rows)];
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}

const begin = '<!-- figures: written by `npm run bench -- --write` -->';
const end = '<!-- /figures -->';

/** Replaces what stands between the two markers. */
export function writeFigures(file: string, text: string): void {
  const page = readFileSync(file, 'utf8');
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${file} has no figures markers`);
  writeFileSync(file, `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`);
}
