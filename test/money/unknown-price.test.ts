import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCatalogued } from '../../bench/money/r29.ts';

test('A10: what has no price is refused with the line that prices it; nothing is called and no row costs 0', async (context) => {
  const running = await startCatalogued();
  context.after(() => running.close());
  const ask = async (body: object): Promise<{ status: number; text: string }> => {
    const answer = await fetch(`${running.gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${running.gateway.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'hello' }], ...body }),
    });
    return { status: answer.status, text: await answer.text() };
  };
  const cases: readonly [body: object, line: RegExp][] = [
    [{ model: 'openai/gpt-4oo' }, /\\"openai\/gpt-4oo\\": \{ input: 0.00, output: 0.00 \}/],
    [{ model: 'openai/ft:gpt-5-2026-01-01:acme::x' }, /ft:gpt-5-2026-01-01:acme::x\\": \{ input: 0.00/],
    [{ model: 'openai/gpt-4o', service_tier: 'scale' }, /services: \{ \\"scale\\": 100% \}/],
    [{ model: 'openai/gpt-4o', tools: [{ type: 'code_interpreter' }] }, /tools: \{ \\"code_interpreter\\": 0.00 \}/],
  ];
  for (const [body, line] of cases) {
    const { status, text } = await ask(body);
    assert.equal(status, 400, text);
    assert.match(text, /price_unknown/);
    assert.match(text, line);
  }
  const { json } = await running.ask('GET', '/admin/requests');
  const rows = json.data as { attempts: number; status: number }[];
  assert.ok(
    rows.every((row) => row.attempts === 0 && row.status === 400),
    JSON.stringify(rows),
  );
});
