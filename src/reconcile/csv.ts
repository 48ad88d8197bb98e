// A bill as CSV with named columns, for every provider that has no API for it.

import { noUsage } from '../exchange/usage.ts';
import { decimalToNano, linesMax, type Statement, StatementError, type StatementLine } from './statement.ts';

const names: Readonly<Record<string, 'day' | 'model' | 'cost' | 'input' | 'cacheRead' | 'output'>> = {
  day: 'day',
  date: 'day',
  model: 'model',
  cost: 'cost',
  cost_usd: 'cost',
  amount: 'cost',
  amount_usd: 'cost',
  input: 'input',
  input_tokens: 'input',
  cached_input_tokens: 'cacheRead',
  cache_read_input_tokens: 'cacheRead',
  output: 'output',
  output_tokens: 'output',
};

/** Wants day, and cost or tokens; `input_tokens` excludes cached ones. Throws `StatementError` that names the line. */
export function readCsvStatement(written: string): Statement {
  const rows = readCsv(written);
  const head =
    rows[0]?.map(
      (cell) =>
        names[
          cell
            .trim()
            .toLowerCase()
            .replaceAll(/[\s-]+/g, '_')
        ],
    ) ?? [];
  const at = (name: string): number => (head as readonly (string | undefined)[]).indexOf(name);
  if (at('day') < 0) throw new StatementError('its first line names no column day');
  if (at('cost') < 0 && at('input') < 0) throw new StatementError('its first line names neither cost nor input_tokens');
  const lines: StatementLine[] = [];
  for (const [index, row] of rows.slice(1).entries()) {
    if (lines.length >= linesMax) throw new StatementError(`it has more than ${linesMax} lines`);
    const cell = (name: string): string => row[at(name)]?.trim() ?? '';
    const day = cell('day').slice(0, 10);
    const line = `line ${index + 2}`;
    if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(Date.parse(day)))
      throw new StatementError(`${line}: the day must be written as 2026-11-21`);
    const model = cell('model');
    if (at('cost') >= 0) {
      const cost = decimalToNano(cell('cost'), 0);
      if (cost === undefined) throw new StatementError(`${line}: the cost must be USD such as 1.25`);
      lines.push({ day, model, cost });
      continue;
    }
    const tokens = (name: string): number => {
      const value = cell(name) === '' ? 0 : Number(cell(name));
      if (!Number.isSafeInteger(value) || value < 0) throw new StatementError(`${line}: tokens must be whole numbers`);
      return value;
    };
    const usage = { ...noUsage(), input: tokens('input'), cacheRead: tokens('cacheRead'), output: tokens('output') };
    lines.push({ day, model, usage });
  }
  if (lines.length === 0) throw new StatementError('it has no lines');
  return { kind: 'csv', days: [...new Set(lines.map((line) => line.day))].sort(), lines };
}

/** RFC 4180, a BOM and empty lines forgiven. */
export function readCsv(written: string): string[][] {
  const rows: string[][] = [];
  let [row, cell, quoted]: [string[], string, boolean] = [[], '', false];
  const end = (): void => {
    row.push(cell);
    if (row.some((each) => each.trim() !== '')) rows.push(row);
    [row, cell] = [[], ''];
  };
  const source = written.replace(/^\ufeff/, '');
  for (let index = 0; index < source.length; index++) {
    const character = source[index] ?? '';
    if (quoted) {
      if (character !== '"') cell += character;
      else if (source[index + 1] === '"') cell += source[++index];
      else quoted = false;
    } else if (character === '"' && cell === '') quoted = true;
    else if (character === ',') {
      row.push(cell);
      cell = '';
    } else if (character === '\n') end();
    else if (character !== '\r') cell += character;
  }
  end();
  return rows;
}
