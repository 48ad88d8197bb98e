import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createFrameReader, unpinned } from './reader.ts';

type Event = [event: string, data: string];

/** An independent reading of the rules, on the whole text at once. */
function oracle(text: string): Event[] {
  const events: Event[] = [];
  let event = '';
  let data: string[] = [];
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    if (line === '') {
      if (data.length > 0) events.push([event, data.join('\n')]);
      event = '';
      data = [];
      continue;
    }
    const [, field, value] = /^([^:]*)(?:: ?(.*))?$/su.exec(line) ?? [];
    if (field === 'event') event = value ?? '';
    if (field === 'data') data.push(value ?? '');
  }
  return events;
}

/** Cuts the bytes at the given places and reads them; returns events and what was forwarded, byte for byte. */
function read(bytes: Buffer, cuts: readonly number[]): { events: Event[]; forwarded: Buffer } {
  const reader = createFrameReader(1 << 20);
  const events: Event[] = [];
  const out: Buffer[] = [];
  const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  for (let index = 1; index < places.length; index++) {
    const frames = reader.push(Buffer.from(bytes.subarray(places[index - 1], places[index])));
    assert.ok(frames);
    for (const frame of frames) {
      out.push(frame.bytes);
      if (frame.data !== '' || frame.event !== '') events.push([frame.event, frame.data]);
    }
  }
  const rest = reader.rest();
  if (rest) out.push(rest.bytes);
  return { events, forwarded: Buffer.concat(out) };
}

const line = fc.oneof(
  fc.constant('event: content_block_delta'),
  fc.constant(': ping'),
  fc.constant('data'),
  fc.constant('id: 7'),
  fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => `data: ${text.replace(/[\r\n\uFEFF]/g, ' ')}`),
);

const stream = fc
  .record({
    mark: fc.constantFrom('', '\uFEFF'),
    end: fc.constantFrom('\n', '\r\n', '\r'),
    events: fc.array(fc.array(line, { minLength: 1, maxLength: 3 }), { maxLength: 6 }),
  })
  .map(
    ({ mark, end, events }) => mark + events.map((lines) => lines.map((each) => each + end).join('') + end).join(''),
  );

test('any cut of any stream gives the events of the whole, and every byte once', () => {
  fc.assert(
    fc.property(stream, fc.array(fc.nat(400), { maxLength: 8 }), (text, places) => {
      const bytes = Buffer.from(text);
      const cuts = places.map((place) => place % (bytes.length + 1));
      const { events, forwarded } = read(bytes, cuts);
      const wanted = oracle(text);
      assert.deepEqual(
        events.filter(([, data]) => data !== ''),
        wanted.filter(([, data]) => data !== ''),
      );
      assert.deepEqual(forwarded, bytes);
    }),
    { seed: 42, numRuns: 20_000 },
  );
});

test('byte by byte: mixed line ends, split UTF-8, multi-line data', () => {
  const text =
    '\uFEFFdata: é\r\ndata: 漢字\r\n\r\nevent: a\rdata: 1\r\r: ping\n\ndata:no space\n\ndata: {"x":"\\n\\n"}\n\n';
  const bytes = Buffer.from(text);
  const { events, forwarded } = read(bytes, bytes.map((_, index) => index) as unknown as number[]);
  assert.deepEqual(events, [
    ['', 'é\n漢字'],
    ['a', '1'],
    ['', 'no space'],
    ['', '{"x":"\\n\\n"}'],
  ]);
  assert.deepEqual(forwarded, bytes);
});

test('two events in a chunk are two, whatever ends their lines', () => {
  for (const first of ['data: 1\r\r', 'data: 1\r\n\n', 'data: 1\n\n', ': 1\r\n\r\n']) {
    const frames = createFrameReader(1000).push(Buffer.from(`${first}data: 2\n\n`));
    assert.deepEqual(
      frames?.map((frame) => frame.bytes.toString()),
      [first, 'data: 2\n\n'],
    );
  }
});

test('the second half of a torn CRLF is no line of its own', () => {
  const reader = createFrameReader(1000);
  assert.equal(reader.push(Buffer.from('data: 1\r\n\r'))?.length, 1);
  assert.deepEqual(reader.push(Buffer.from('\n\n')), []);
});

test('an event that never ends is refused at the bound, not gathered', () => {
  const reader = createFrameReader(1000);
  let pushes = 0;
  while (reader.push(Buffer.alloc(100, 'x'))) pushes++;
  assert.equal(pushes, 10);
});

test('an unfinished event is the rest', () => {
  const reader = createFrameReader(1000);
  reader.push(Buffer.from('data: 1\n\ndata: 2\n'));
  assert.equal(reader.rest()?.data, '2');
  assert.equal(reader.rest(), undefined);
});

test('what is kept for long keeps no more than itself', () => {
  const slab = Buffer.allocUnsafeSlow(16_384);
  const few = slab.subarray(100, 130).fill('a');
  assert.equal(unpinned(few).buffer.byteLength, 30);
  assert.deepEqual(unpinned(few), few);
  const most = slab.subarray(0, 16_000);
  assert.equal(unpinned(most), most);
});
