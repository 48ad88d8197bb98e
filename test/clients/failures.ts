// The scenarios in which the answer is no, and the one in which nobody waits for it.

import assert from 'node:assert/strict';
import type { Answer, Driver } from './driver.ts';
import { hello, last, type Place, type Scenario, said, usage, words } from './place.ts';
import { errorWords } from './script.ts';

async function failureOf(driver: Driver, asking: Promise<Answer>) {
  const answered = await asking.then(
    (answer) => answer,
    (error: unknown) => driver.failure(error),
  );
  assert.ok('status' in answered, 'an answer came where an error was due');
  return answered;
}

async function providerError({ driver, provider, target }: Place, status: 400 | 429 | 500): Promise<void> {
  provider.play({ kind: 'error', status });
  // A bad request is nobody's to try again; the others are, so that the library is told to leave it here.
  const ask = { ...hello(target.model), ...(status !== 400 && { retries: 0 }) };
  for (const [count, asking] of [driver.ask, driver.stream].entries()) {
    const failure = await failureOf(driver, asking(ask));
    assert.equal(failure.status, status, failure.message);
    assert.ok(failure.message.includes(errorWords[status] ?? '?'), failure.message);
    last(provider, count + 1);
  }
}

/** One bad moment of the provider: libraries that try again by themselves are let to, the others are told. */
async function moment({ driver, provider, target, tries }: Place): Promise<void> {
  provider.play({ kind: 'error', status: 500 }, said({ text: words }));
  if (tries !== 'never') {
    const answer = await driver.ask({ ...hello(target.model), retries: 1 });
    assert.equal(answer.text, words);
    last(provider, 2);
    return;
  }
  const failure = await failureOf(driver, driver.ask(hello(target.model)));
  assert.equal(failure.status, 500, failure.message);
  last(provider, 1);
}

/** Over all layers a request is tried three times, however often the library would. */
async function persistent({ driver, provider, target, tries }: Place): Promise<void> {
  provider.play({ kind: 'error', status: 500 });
  const patience = tries === 'told' ? 5 : 0;
  const failure = await failureOf(driver, driver.ask({ ...hello(target.model), retries: patience }));
  assert.equal(failure.status, 500, failure.message);
  last(provider, tries === 'told' ? 3 : 1);
}

async function broke({ driver, provider, target, answered }: Place): Promise<void> {
  provider.play(said({ text: words }));
  const before = await answered();
  const failure = await failureOf(driver, driver.ask(hello(target.poorModel)));
  assert.equal(failure.status, 402, failure.message);
  assert.match(failure.message, /budget/i);
  assert.deepEqual(provider.seen(), []);
  assert.equal(await answered(), before + 1, 'the library did not try again');
}

async function nobody({ driver, provider, answered }: Place): Promise<void> {
  provider.play(said({ text: words }));
  const before = await answered();
  const failure = await failureOf(driver, driver.ask(hello('no-such-model')));
  assert.equal(failure.status, 404, failure.message);
  assert.match(failure.message, /no-such-model/);
  assert.deepEqual(provider.seen(), []);
  assert.equal(await answered(), before + 1, 'the library did not try again');
}

async function abort({ driver, provider, target }: Place): Promise<void> {
  provider.play({ kind: 'hangs', said: { text: words.repeat(8), usage } });
  const controller = new AbortController();
  await assert.rejects(driver.stream({ ...hello(target.model), abort: controller }));
  assert.equal(controller.signal.aborted, true, 'text came before the abort');
  await provider.abandoned();
  last(provider, 1);
}

export const failures: readonly Scenario[] = [
  { name: 'the provider finds the request wrong', run: (place) => providerError(place, 400) },
  { name: 'the provider limits the rate', run: (place) => providerError(place, 429) },
  { name: 'the provider fails', run: (place) => providerError(place, 500) },
  { name: 'the provider fails once', once: true, run: moment },
  { name: 'D8: the provider keeps failing, over all layers at most three attempts', once: true, run: persistent },
  { name: 'D8: the budget is spent, and no library tries again', run: broke },
  { name: 'a model that nobody has', run: nobody },
  { name: 'the client leaves in mid-stream', run: abort },
];
