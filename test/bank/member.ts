// An instance as the tests of banks drive it: numbers its asks, and believes what it was answered.

import { randomBytes } from 'node:crypto';
import type { Bank, BankAnswer, Purse, Slice, SliceWant } from '../../src/exchange/bank.ts';
import { want } from './kit.ts';

export interface Member {
  readonly name: string;
  readonly bank: Bank;
  /** The number of its last ask. */
  number: number;
  readonly recalled: Purse[];
  ask(...wants: SliceWant[]): Promise<BankAnswer>;
  /** For one purse. */
  askOne(scope: string, fields?: Partial<SliceWant>): Promise<Slice>;
  /** Enters with these, and goes on from the number answered. */
  enter(...purses: SliceWant[]): Promise<void>;
  /** Resolves with the next recall of the scope. */
  nextRecall(scope: string): Promise<Purse>;
}

/** A name that no other test in the same bank has. */
export function unique(prefix: string): string {
  return `${prefix}:${randomBytes(6).toString('hex')}`;
}

/** One that has entered with nothing. */
export async function member(bank: Bank, name = unique('instance')): Promise<Member> {
  const made = memberOf(bank, name);
  await made.enter();
  return made;
}

export function memberOf(bank: Bank, name: string): Member {
  const recalled: Purse[] = [];
  const waiting = new Map<string, (purse: Purse) => void>();
  bank.onRecall((purses) => {
    recalled.push(...purses);
    for (const purse of purses) waiting.get(purse.scope)?.(purse);
  });
  const self: Member = {
    name,
    bank,
    number: 0,
    recalled,
    ask(...wants) {
      self.number += 1;
      return bank.exchange({ instance: name, number: self.number, wants });
    },
    async askOne(scope, fields) {
      const { slices } = await self.ask(want(scope, fields));
      const [slice] = slices;
      if (!slice) throw new Error('an answer without a slice');
      return slice;
    },
    async enter(...purses) {
      self.number = (await bank.enter(name, purses)).number;
    },
    nextRecall: (scope) => new Promise((resolve) => waiting.set(scope, resolve)),
  };
  return self;
}
