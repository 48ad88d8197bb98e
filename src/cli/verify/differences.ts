// What the verifier finds wrong, by the promise that it breaks.

export const promises = {
  journal: 'every byte of the journal belongs to a whole row',
  holds: 'every hold is closed at most once, and nothing is charged that was not held',
  receipts: 'no receipt and no correction is posted twice',
  charges: 'every receipt costs the sum of its charges',
  heads: 'every file begins with what the files before it add up to',
  accounts: 'what is posted and held on every account is what the rows add up to',
  budgets: 'limit = available + held + posted, for every budget',
  rest: 'nothing is held for nobody',
  store: 'reports say what the receipts say: total, by model, by key, by day',
  prices: 'every charge costs what its price version says',
} as const;

export type Promised = keyof typeof promises;

export interface Difference {
  readonly promise: Promised;
  readonly what: string;
}

export interface Differences {
  tell(promise: Promised, what: string): void;
  /** The first twenty of each promise. */
  readonly told: readonly Difference[];
  count(promise: Promised): number;
  readonly total: number;
}

const toldMax = 20;

export function createDifferences(): Differences {
  const counts = new Map<Promised, number>();
  const told: Difference[] = [];
  let total = 0;
  return {
    tell(promise, what) {
      const count = (counts.get(promise) ?? 0) + 1;
      counts.set(promise, count);
      total += 1;
      if (count <= toldMax) told.push({ promise, what });
    },
    told,
    count: (promise) => counts.get(promise) ?? 0,
    get total() {
      return total;
    },
  };
}
