// The books as the verifier adds them up from the rows alone, and what it finds wrong while it does.

import { createCalendars, readWindowId } from '../../budget/window.ts';
import type {
  AdjustRow,
  BalancesRow,
  CorrectionRow,
  HoldRow,
  JournalAccount,
  JournalRow,
  Receipt,
  ReceiptRow,
} from '../../exchange/receipt.ts';
import type { Differences } from './differences.ts';

export interface Books {
  add(row: JournalRow): void;
  /** Nano-USD by `scope\nwindow`. */
  readonly posted: ReadonlyMap<string, number>;
  held(): Map<string, number>;
  readonly open: number;
  readonly receipts: number;
  readonly corrections: number;
  readonly cost: number;
  /** Epoch ms at which the first file begins, where files before it are gone; what they held is known as sums only. */
  readonly beginsAt: number | undefined;
}

export function placeOf({ scope, window }: Pick<JournalAccount, 'scope' | 'window'>): string {
  return `${scope}\n${window}`;
}

/** A claim's lifetime account is forgotten after idle days, and begins anew. */
export function mayBeForgotten(place: string): boolean {
  return /^key:[^\n]*\/[^\n]*\nlifetime$/.test(place);
}

/** Who adds up what the reports should say. */
export interface Report {
  receipt(receipt: Receipt): void;
  correction(row: CorrectionRow, keyId: string): void;
}

export function createBooks(differences: Differences, report: Report): Books {
  const open = new Map<string, HoldRow>();
  const posted = new Map<string, number>();
  /** Ids, and of receipts their key. */
  const closed = new Map<string, string>();
  let counted = new Set<string>();
  let rows = 0;
  let receipts = 0;
  let corrections = 0;
  let cost = 0;
  let beginsAt: number | undefined;

  const post = (accounts: readonly JournalAccount[], whole: number): void => {
    for (const account of accounts) {
      const place = placeOf(account);
      posted.set(place, (posted.get(place) ?? 0) + (account.amount ?? whole));
    }
  };

  const hold = (row: HoldRow): void => {
    // A head may name a hold whose own row was still on its way to the file.
    if (closed.has(row.id) || (open.has(row.id) && open.get(row.id)?.amount !== row.amount))
      differences.tell('holds', `${row.id} is held again`);
    else open.set(row.id, row);
  };

  const adjust = ({ id, amount, accounts }: AdjustRow): void => {
    const held = open.get(id);
    if (held) open.set(id, { ...held, amount, accounts: accounts ?? held.accounts });
    else differences.tell('holds', `${id} is adjusted and not held`);
  };

  const close = ({ receipt, accounts }: ReceiptRow): void => {
    const { id } = receipt;
    const held = open.get(id);
    open.delete(id);
    if (counted.has(id)) return;
    if (closed.has(id)) {
      differences.tell('receipts', `${id} has a second receipt, of ${receipt.cost}`);
      return;
    }
    closed.set(id, receipt.keyId);
    receipts += 1;
    cost += receipt.cost;
    const sum = receipt.charges.reduce((all, charge) => all + charge.cost, 0);
    if (sum !== receipt.cost) differences.tell('charges', `${id} costs ${receipt.cost}, its charges ${sum}`);
    if (new Set(receipt.charges.map(({ attempt }) => attempt)).size < receipt.charges.length)
      differences.tell('charges', `${id} charges an attempt twice`);
    if (!held && receipt.cost > 0) differences.tell('holds', `${id} costs ${receipt.cost} and was not held`);
    post(accounts ?? held?.accounts ?? [], receipt.cost);
    report.receipt(receipt);
  };

  const correct = (row: CorrectionRow): void => {
    if (counted.has(row.id)) return;
    if (closed.has(row.id)) {
      differences.tell('receipts', `correction ${row.id} stands twice`);
      return;
    }
    closed.set(row.id, '');
    corrections += 1;
    post(row.accounts, row.amount);
    const named = row.accounts.find(({ scope }) => scope.startsWith('key:'))?.scope.slice(4);
    report.correction(row, named ?? closed.get(row.receipt ?? '') ?? '');
  };

  /** The first one is where the books begin; each later one must say what the rows before it add up to. */
  const head = (row: BalancesRow): void => {
    counted = new Set(row.counted?.map(({ id }) => id).filter((id) => closed.has(id) || rows === 0));
    if (rows === 0) {
      for (const account of row.accounts) post([account], 0);
      for (const each of row.open) open.set(each.id, each);
      // An empty head is the first that was ever written.
      if (row.accounts.length > 0 || row.open.length > 0) beginsAt = row.at;
      return;
    }
    const said = new Map(row.accounts.map((account) => [placeOf(account), account.amount]));
    for (const [place, amount] of said)
      if ((posted.get(place) ?? 0) !== amount && !mayBeForgotten(place))
        differences.tell(
          'heads',
          `${shown(place)}: the head says ${amount}, the rows before it ${posted.get(place) ?? 0}`,
        );
    for (const [place, amount] of posted) {
      if (mayBeForgotten(place)) posted.set(place, said.get(place) ?? 0);
      else if (amount !== 0 && !said.has(place) && !isOver(place, row.at))
        differences.tell('heads', `${shown(place)}: the head leaves it out, the rows before it say ${amount}`);
    }
    const held = new Map(row.open.map((each) => [each.id, each]));
    for (const { id, amount } of open.values())
      if (held.get(id)?.amount !== amount)
        differences.tell('heads', `${id} holds ${amount}, the head says ${held.get(id)?.amount ?? 'nothing'}`);
    for (const each of row.open) if (!open.has(each.id)) open.set(each.id, each);
  };

  return {
    add(row) {
      if (row.type === 'hold') hold(row);
      else if (row.type === 'adjust') adjust(row);
      else if (row.type === 'receipt') close(row);
      else if (row.type === 'correction') correct(row);
      else head(row);
      rows += 1;
    },
    posted,
    held() {
      const sums = new Map<string, number>();
      for (const { amount, accounts } of open.values())
        for (const account of accounts) sums.set(placeOf(account), (sums.get(placeOf(account)) ?? 0) + amount);
      return sums;
    },
    get open() {
      return open.size;
    },
    get receipts() {
      return receipts;
    },
    get corrections() {
      return corrections;
    },
    get cost() {
      return cost;
    },
    get beginsAt() {
      return beginsAt;
    },
  };
}

const calendars = createCalendars();

/** Whether the window of an account had ended by this epoch ms. */
export function isOver(place: string, at: number): boolean {
  const said = readWindowId(place.slice(place.indexOf('\n') + 1));
  return said === undefined || calendars(said.per, said.timezone).at(said.startsAt).endsAt <= at;
}

export function shown(place: string): string {
  return place.replace('\n', ' ');
}
