// What every bank promises, as one suite that each of them runs.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Bank, EnterFirst } from '../../src/exchange/bank.ts';
import { type BankKit, type OpenKit, want } from './kit.ts';
import { member, memberOf, unique } from './member.ts';
import { checkRandomLives } from './random.ts';

const dollar = 1_000_000_000;
const cent = dollar / 100;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export function bankContract(kit: BankKit): void {
  describe(kit.name, () => {
    let open: OpenKit;
    before(async () => {
      open = await kit.open();
    });
    after(() => open.close());
    /** Ports are processes or connections: each test has instances of its own name on the same ones. */
    const ports: Bank[] = [];
    const members = (count: number) =>
      Promise.all(
        Array.from({ length: count }, async (_, index) => {
          ports[index] ??= await open.bank();
          return member(ports[index], unique('instance'));
        }),
      );

    test('the need is given first, the wish out of half of an equal share', async () => {
      const fresh = await kit.open();
      try {
        const [one, two] = [await member(await fresh.bank()), await member(await fresh.bank())];
        const limit = 1000;
        const rows: [need: number, wish: number, have: number][] = [
          [0, 0, 0],
          [100, 100, 100],
          [0, 1000, 325],
          [600, 700, 925],
          [200, 300, 1000],
          [1, 1, 1000],
        ];
        let have = 0;
        for (const [need, wish, expected] of rows) {
          const slice = await one.askOne('key:a', { limit, have, need, wish });
          assert.deepEqual([need, wish, slice.have], [need, wish, expected]);
          assert.equal(slice.available, limit - expected);
          have = slice.have;
        }
        const { instances } = await two.ask();
        assert.equal(instances, 2);
      } finally {
        await fresh.close();
      }
    });

    test('what an instance no longer has can be had by another, what it posted cannot', async () => {
      const [one, two] = await members(2);
      const scope = unique('key');
      assert.equal((await one?.askOne(scope, { need: dollar }))?.have, dollar);
      assert.equal((await two?.askOne(scope, { need: 1 }))?.have, 0);
      const kept = await one?.askOne(scope, { have: 70 * cent, posted: 70 * cent });
      assert.deepEqual([kept?.available, kept?.posted], [30 * cent, 70 * cent]);
      const given = await two?.askOne(scope, { need: dollar });
      assert.deepEqual([given?.have, given?.available, given?.posted], [30 * cent, 0, 70 * cent]);
    });

    test('many purses are one call, each answered in its place', async () => {
      const [one] = await members(1);
      const scopes = Array.from({ length: 50 }, () => unique('key'));
      const answer = await one?.ask(...scopes.map((scope, index) => want(scope, { need: index })));
      assert.deepEqual(
        answer?.slices.map(({ scope, have }) => [scope, have]),
        scopes.map((scope, index) => [scope, index]),
      );
    });

    test('A1: three instances, a thousand requests of two cents at once on one dollar: fifty get it', async () => {
      await race(await members(3), 1000, 2 * cent);
    });

    test('A7: ten instances, a thousand requests of one cent at once on one dollar: a hundred get it', async () => {
      await race(await members(10), 1000, cent);
    });

    test('A3: two hundred debits of one cent at once on one dollar: exactly a hundred succeed', async () => {
      await race(await members(2), 200, cent);
    });

    /** Each instance's requests come one after another, the instances' at once: all of the dollar is given, no more. */
    async function race(racers: Awaited<ReturnType<typeof members>>, requests: number, each: number): Promise<void> {
      const scope = unique('key');
      let admitted = 0;
      const totals = await Promise.all(
        racers.map(async (racer) => {
          let have = 0;
          for (let left = Math.floor(requests / racers.length); left > 0; left -= 1) {
            const slice = await racer.askOne(scope, { have, need: each });
            assert.ok(slice.have === have || slice.have === have + each);
            assert.ok(slice.posted <= dollar);
            if (slice.have > have) admitted += 1;
            have = slice.have;
          }
          return have;
        }),
      );
      assert.equal(admitted, dollar / each);
      assert.equal(
        totals.reduce((sum, have) => sum + have, 0),
        dollar,
      );
    }

    test('A13: three instances begin the next window at once, over and over: nothing spent in it is lost', async () => {
      const racers = await members(3);
      const scope = unique('key');
      for (let round = 0; round < 30; round += 1) {
        const fields = { window: `hour/UTC/${round}`, per: 'hour', endsAt: Date.now() + hourMs } as const;
        // The first of the new window: each says what it spent there already, and what it still has of the one before.
        await Promise.all(
          racers.map((racer, index) => {
            const spent = (index + 1) * cent;
            const wants = [want(scope, { ...fields, have: spent, posted: spent })];
            if (round > 0)
              wants.push(want(scope, { ...fields, window: `hour/UTC/${round - 1}`, have: 9 * cent, posted: 9 * cent }));
            return racer.ask(...wants);
          }),
        );
        const now = await racers[0]?.askOne(scope, { ...fields, have: cent, posted: cent });
        assert.deepEqual([now?.posted, now?.available], [6 * cent, 94 * cent]);
      }
    });

    test('B6: a window is exhausted; in the next one every instance gets money at once', async () => {
      const racers = await members(4);
      const scope = unique('key');
      await racers[0]?.askOne(scope, { need: dollar });
      for (const racer of racers.slice(1)) assert.equal((await racer.askOne(scope, { need: 1 })).have, 0);
      const startsAt = Date.now() + 1000;
      const next = await Promise.all(
        racers.map((racer) => racer.askOne(scope, { window: 'next', startsAt, need: cent })),
      );
      assert.deepEqual(
        next.map(({ have }) => have),
        [cent, cent, cent, cent],
      );
    });

    test('a recall reaches who has something free; what is given back can be had', async () => {
      const [rich, poor] = await members(2);
      assert.ok(rich && poor);
      const scope = unique('key');
      await rich.askOne(scope, { need: dollar });
      const recalled = rich.nextRecall(scope);
      const short = await poor.askOne(scope, { need: 5 * cent });
      assert.deepEqual([short.have, short.recalling], [0, true]);
      const { window } = await recalled;
      assert.equal(window, 'day/UTC/now');
      await rich.askOne(scope, { have: 90 * cent, posted: 10 * cent });
      assert.equal((await poor.askOne(scope, { need: 5 * cent })).have, 5 * cent);
    });

    test('who has answered a recall with nothing is not waited for', async () => {
      const fresh = await kit.open({ recallAgainMs: hourMs });
      try {
        const [rich, poor] = [await member(await fresh.bank()), await member(await fresh.bank())];
        const scope = unique('key');
        await rich.askOne(scope, { need: dollar });
        const recalled = rich.nextRecall(scope);
        const short = async () => (await poor.askOne(scope, { need: cent })).recalling;
        assert.deepEqual([await short(), await short()], [true, true]);
        await recalled;
        await rich.askOne(scope, { have: dollar });
        assert.equal(await short(), false);
      } finally {
        await fresh.close();
      }
    });

    test('nobody is recalled where all is spent', async () => {
      const [rich, poor] = await members(2);
      const scope = unique('key');
      await rich?.askOne(scope, { need: dollar });
      await rich?.askOne(scope, { have: dollar, posted: dollar });
      const short = await poor?.askOne(scope, { need: cent });
      assert.deepEqual([short?.have, short?.recalling], [0, false]);
    });

    test('a crashed instance keeps its slice until it enters; then it has exactly what it says', async () => {
      const [one, two] = await members(2);
      assert.ok(one && two);
      const [scope, other] = [unique('key'), unique('key')];
      await one.ask(want(scope, { need: dollar }), want(other, { need: dollar }));
      assert.equal((await two.askOne(scope, { need: 1 })).have, 0);
      const reborn = memberOf(await open.bank(), one.name);
      await reborn.enter(want(scope, { have: 40 * cent, posted: 40 * cent }));
      assert.ok(reborn.number > one.number);
      const free = await two.ask(want(scope, { need: dollar }), want(other, { need: dollar }));
      assert.deepEqual(
        free.slices.map(({ have, posted }) => [have, posted]),
        [
          [60 * cent, 40 * cent],
          [dollar, 0],
        ],
      );
    });

    test('a call of the process that died, still on its way, changes nothing once the next has entered', async () => {
      const [one, two] = await members(2);
      assert.ok(one && two);
      const scope = unique('key');
      await one.askOne(scope, { need: cent });
      const reborn = memberOf(await open.bank(), one.name);
      await reborn.enter(want(scope, { have: cent, posted: cent }));
      for (let late = 0; late < 3; late += 1) {
        await assert.rejects(one.askOne(scope, { have: cent, need: dollar }), /newer call/);
      }
      assert.equal((await two.askOne(scope, { need: dollar })).have, 99 * cent);
      // The next process goes on as if nothing had been.
      assert.equal((await reborn.askOne(scope, { have: cent, posted: cent })).posted, cent);
    });

    test('of two processes in one name the older one is refused, and spends nothing of what the newer one has', async () => {
      const [one] = await members(1);
      assert.ok(one);
      const scope = unique('key');
      const copy = memberOf(await open.bank(), one.name);
      await copy.enter();
      await copy.askOne(scope, { need: cent });
      await assert.rejects(one.askOne(scope, { need: cent }), /copy of this data folder/);
    });

    test('the same number again answers what is, and a number that comes late is refused', async () => {
      const [one] = await members(1);
      assert.ok(one);
      const scope = unique('key');
      const ask = { instance: one.name, number: one.number + 5, wants: [want(scope, { need: cent })] };
      const first = await one.bank.exchange(ask);
      const again = await one.bank.exchange(ask);
      assert.deepEqual([first.slices[0]?.have, again.slices[0]?.have], [cent, cent]);
      assert.equal(again.slices[0]?.available, 99 * cent);
      await one.bank.exchange({ ...ask, number: ask.number + 2, wants: [want(scope, { have: cent, need: cent })] });
      const late = { ...ask, number: ask.number + 1, wants: [want(scope, { have: 0 })] };
      await assert.rejects(one.bank.exchange(late), /newer call/);
      one.number += 7;
      assert.equal((await one.askOne(scope, { have: 2 * cent })).available, 98 * cent);
    });

    test('an instance that has not entered is told to, and gets nothing', async () => {
      const stranger = memberOf(await open.bank(), unique('stranger'));
      const scope = unique('key');
      await assert.rejects(stranger.askOne(scope, { need: 1 }), EnterFirst);
      const [one] = await members(1);
      assert.equal((await one?.askOne(scope))?.available, dollar);
    });

    test('a limit that was lowered gives nothing more, whatever is out stays', async () => {
      const [one, two] = await members(2);
      const scope = unique('key');
      await one?.askOne(scope, { need: 50 * cent });
      const low = await one?.askOne(scope, { limit: 0, have: 50 * cent, need: 1, wish: dollar });
      assert.deepEqual([low?.have, low?.available], [50 * cent, 0]);
      assert.equal((await two?.askOne(scope, { limit: 20 * cent, need: cent }))?.have, 0);
      assert.equal((await two?.askOne(scope, { limit: 60 * cent, need: dollar }))?.have, 10 * cent);
    });

    test('what was overspent is kept in mind, and others pay for it', async () => {
      const [one, two] = await members(2);
      const scope = unique('key');
      const over = await one?.askOne(scope, { have: dollar + cent, posted: dollar + cent, need: 1 });
      assert.deepEqual([over?.have, over?.available, over?.posted], [dollar + cent, 0, dollar + cent]);
      assert.equal((await two?.askOne(scope, { need: 1, wish: 100 }))?.have, 0);
    });

    test('a window gives money from the one before it until a day after its end', async () => {
      const [one] = await members(1);
      assert.ok(one);
      const now = Date.now();
      const forever = { per: 'lifetime', window: 'lifetime', startsAt: 0, endsAt: Number.POSITIVE_INFINITY } as const;
      const rows: [string, Parameters<typeof want>[1], number][] = [
        ['just over', { startsAt: now - dayMs - 1000, endsAt: now - 1000 }, cent],
        ['over by most of a day', { startsAt: now - 2 * dayMs, endsAt: now - dayMs + 60_000 }, cent],
        ['over by more than a day', { startsAt: now - 3 * dayMs, endsAt: now - dayMs - 60_000 }, 0],
        ['over by a month', { startsAt: now - 32 * dayMs, endsAt: now - 31 * dayMs }, 0],
        ['the next', { startsAt: now + 23 * hourMs, endsAt: now + 47 * hourMs }, cent],
        ['the one after the next', { startsAt: now + 26 * hourMs, endsAt: now + 50 * hourMs }, 0],
        ['the next minute', { per: 'minute', startsAt: now + 50_000, endsAt: now + 110_000 }, cent],
        ['the minute after', { per: 'minute', startsAt: now + 120_000, endsAt: now + 180_000 }, 0],
        ['a lifetime', forever, cent],
      ];
      for (const [name, fields, expected] of rows) {
        const slice = await one.askOne(unique('key'), { ...fields, need: cent });
        assert.deepEqual([name, slice.have], [name, expected]);
      }
      // A lifetime is kept: another instance finds it.
      const [scope, [two]] = [unique('run'), await members(1)];
      await one.askOne(scope, { ...forever, need: dollar });
      assert.equal((await two?.askOne(scope, { ...forever, need: 1 }))?.have, 0);
    });

    test('a window long over takes nothing away from who still names it', async () => {
      const [one] = await members(1);
      const startsAt = Date.now() - 400 * dayMs;
      const slice = await one?.askOne(unique('key'), { startsAt, have: cent, posted: cent, need: cent });
      assert.deepEqual([slice?.have, slice?.posted, slice?.available], [cent, cent, 0]);
    });

    test('the bank says its clock', async () => {
      const [one] = await members(1);
      const start = Date.now();
      const answer = await one?.ask();
      assert.ok(answer && Number.isSafeInteger(answer.now) && Math.abs(answer.now - start) < 60_000);
    });

    test('what no instance sends is refused, and nothing of it is done', async () => {
      const [one] = await members(1);
      assert.ok(one);
      const scope = unique('key');
      const good = want(scope, { need: cent });
      const bad = [
        [want(unique('key'), { need: -1 })],
        [want(unique('key'), { need: 0.5 })],
        [want(unique('key'), { limit: 2 ** 53 })],
        [want(unique('key'), { have: 1, posted: 2 })],
        [want(unique('key\n'))],
        [want('x'.repeat(2000))],
        [good],
        Array.from({ length: 10_001 }, () => want(unique('key'))),
      ];
      for (const wants of bad) await assert.rejects(one.ask(good, ...wants), /nano-USD|name|twice|purses|posted/);
      assert.equal((await one.askOne(scope)).available, dollar);
    });

    test('random lives, with lost answers, doubled and late calls and crashes, get what the rules say', async () => {
      await checkRandomLives(
        await Promise.all([0, 1, 2, 3].map(async (index) => (ports[index] ??= await open.bank()))),
        kit.runs,
      );
    });

    test('F5: ten writers, overlapping batches of 500 in random order: nothing lost, nothing begun again', async () => {
      const writers = await members(10);
      const prefix = unique('key');
      const scopes = Array.from({ length: 800 }, (_, index) => `${prefix}/${index}`);
      const spent = writers.map(() => new Map<string, number>());
      const before = open.retried();
      await Promise.all(
        writers.map(async (writer, index) => {
          const mine = spent[index] ?? new Map<string, number>();
          for (let round = 0; round < 4; round += 1) {
            const batch = scopes.toSorted(() => Math.random() - 0.5).slice(0, 500);
            const wants = batch.map((scope) => {
              const posted = (mine.get(scope) ?? 0) + 1;
              mine.set(scope, posted);
              return want(scope, { have: posted, posted });
            });
            await writer.ask(...wants);
          }
        }),
      );
      const [reader] = await members(1);
      const totals = await reader?.ask(...scopes.map((scope) => want(scope)));
      const expected = scopes.map((scope) => spent.reduce((sum, mine) => sum + (mine.get(scope) ?? 0), 0));
      assert.deepEqual(
        totals?.slices.map(({ posted }) => posted),
        expected,
      );
      assert.equal(open.retried() - before, 0);
    });
  });
}
