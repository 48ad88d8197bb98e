// Streams of events that look alike and are not, and the ordinary ones that they look like.

export const providers = { 'openai-chat': 'chat', 'anthropic-messages': 'messages' } as const;
export type Provider = keyof typeof providers;

export const chunkHead = '"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m"';
export const opened: Readonly<Record<Provider, string>> = {
  'openai-chat': `data: {${chunkHead},"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n`,
  'anthropic-messages':
    'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","model":"m","usage":{"input_tokens":1}}}\n\n' +
    'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
};
/** An ordinary event with these words, as they stand in a JSON string. */
export const plain: Readonly<Record<Provider, (words: string) => string>> = {
  'openai-chat': (words) =>
    `data: {${chunkHead},"choices":[{"index":0,"delta":{"content":"${words}"},"finish_reason":null}],"obfuscation":"${'x'.repeat(words.length % 7)}"}\n\n`,
  'anthropic-messages': (words) =>
    `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${words}"}}\n\n`,
};

/** The insides of JSON strings. */
const insides = [
  'word',
  ' and',
  '',
  'é 漢字 🙂',
  '\\u0000\\u001f',
  '\\ud83d\\ude00',
  '\\ud83d',
  '\\"',
  '\\\\',
  'ends in \\\\\\"',
  '\\n\\t\\r\\b\\f\\/',
  '\\"},\\"finish_reason\\":\\"stop\\"',
  '\\"content\\":\\"needle\\"',
  '\\"text\\":\\"needle\\"',
  '\u007f\u0085\u2028',
  'mark-of-the-mold',
  'data: [DONE]',
  'x'.repeat(400),
];

/** They end the JSON string too early, or never, or stand in none. */
const broken = [
  '"},"finish_reason":"stop","x":{"y":"',
  '","content":"second',
  '","text":"second","type":"thinking_delta',
  '"}}],"error":{"message":"no"},"x":[{"y":{"z":"',
  'a lone \\ backslash',
  'half an escape \\u12',
  'ends in a slash \\',
  'tab\there',
  'torn\nline',
];

/** Bodies with a place for words; many look like the plain one and are not. */
const bodies: Readonly<Record<Provider, readonly string[]>> = {
  'openai-chat': [
    `{${chunkHead},"choices":[{"index":0,"delta":{"content":"@"},"finish_reason":null}]}`,
    `{${chunkHead},"choices":[{"index":0,"delta":{"content":"@"},"finish_reason":null}],"obfuscation":"#"}`,
    `{${chunkHead},"obfuscation":"#","choices":[{"index":0,"delta":{"content":"@"},"finish_reason":null}]}`,
    `{${chunkHead},"service_tier":"#","choices":[{"index":0,"delta":{"content":"@"}}]}`,
    `{${chunkHead},"choices":[{"delta":{"content":"@","content":"twice"},"index":0}]}`,
    `{${chunkHead},"choices":[{"delta":{"content":"once","content":"@"},"index":0}]}`,
    `{${chunkHead},"choices":[{"index":0,"delta":{"annotations":[{"content":"@"}],"content":"fixed"}}]}`,
    `{${chunkHead},"choices":[{"index":0,"delta":{"reasoning":"fixed","reasoning_details":[{"text":"fixed","content":"@"}]}}]}`,
    `{${chunkHead},"x":{"content":"@"},"choices":[{"index":1,"delta":{"content":"fixed"}}]}`,
    `{${chunkHead},"choices":[{"index":0,"delta":{"content":"@"}},{"index":1,"delta":{"content":"@"}}]}`,
    `{ "choices" : [ { "index" : 0 , "delta" : { "role":"assistant", "content" :  "@" } } ] , "id":"x" }`,
    `{${chunkHead},"choices":[{"index":0,"delta":{"content":null,"reasoning_content":"@"}}]}`,
    `{${chunkHead},"choices":[{"index":0,"delta":{"content":"","reasoning":"@","reasoning_details":[]}}]}`,
    `{${chunkHead},"choices":[{"index":0,"delta":{"reasoning":"@","reasoning_details":[{"type":"reasoning.text","text":"@"}]}}]}`,
    `{${chunkHead},"choices":[{"index":0,"delta":{"content":"@"},"logprobs":{"content":[{"token":"a"}]}}]}`,
    `{${chunkHead},"choices":[{"index":0,"delta":{"content":"@"}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`,
    `{${chunkHead},"choices":[{"index":0,"delta":{"content":"@"}}],"citations":["https://example.test"]}`,
    `{${chunkHead},"choices":[{"index":0,"delta":{"content":"@","audio":{"data":"AA"}}}]}`,
    `{${chunkHead},"choices":[{"index":0,"delta":{"content":"@","refusal":"no"}}]}`,
    `{${chunkHead},"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"@"}}]}}]}`,
    `{${chunkHead},"choices":[{"index":0,"delta":{"content":"@"},"finish_reason":"stop"}]}`,
    `{${chunkHead},"choices":[{"index":0,"message":{"content":"@"},"delta":{"content":"@"}}]}`,
    `{${chunkHead},"x":{"content":"@"},"choices":[{"index":0,"delta":{"content":"mark-of-the-mold"}}]}`,
    `{${chunkHead},"choices":[{"index":0,"delta":{"content":"@"}},{"index":1,"delta":{"audio":{"data":"AA"}}}]}`,
    `{${chunkHead},"choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}`,
  ],
  'anthropic-messages': [
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"@"}}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"@"},"p":"#"}',
    '{"delta":{"text":"@","type":"text_delta"},"index":0,"type":"content_block_delta"}',
    '{ "type": "content_block_delta", "index": 1, "delta": { "type": "text_delta", "text": "@" } }',
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"@","text":"twice"}}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"@"}}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"@"}}',
    '{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"@"}}',
    '{"type":"content_block_delta","index":0,"x":{"text":"@"},"delta":{"type":"text_delta","text":"fixed"}}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"text":"@"}}}',
    '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"@"}}',
    '{"type":"content_block_start","index":1,"content_block":{"type":"thinking","thinking":"@"}}',
    '{"type":"content_block_stop","index":0}',
    '{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}',
    '{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"fixed"},"delta":{"type":"text_delta","text":"@"}}',
    '{"type":"ping","text":"@"}',
  ],
};

const framings = [
  (body: string) => `data: ${body}\n\n`,
  (body: string) => `data:${body}\r\n\r\n`,
  (body: string) => `event: content_block_delta\ndata: ${body}\n\n`,
  (body: string) => `: ${body}\ndata: ${body}\n\n`,
  (body: string) => `data: ${body}\ndata: \n\n`,
];
const endings = [
  'event: error\ndata: {"error":{"message":"no"}}\n\n',
  'data: [DONE]\n\n',
  'data: {"type":"message_stop"}\n\n',
];

/** Runs of events that are alike but for their words, then of others. What ends a stream is rare, so that most get far. */
export function misleading(provider: Provider, chance: () => number): string {
  const pick = <Of>(from: readonly Of[], power = 1): Of => from[Math.floor(chance() ** power * from.length)] as Of;
  const events = [opened[provider]];
  for (let run = 0; run < 12; run++) {
    const body = pick(bodies[provider]);
    const framing = pick(framings, 3);
    for (let left = 1 + Math.floor(chance() * 6); left > 0; left--) {
      const words = pick(chance() < 0.02 ? broken : insides);
      const others = pick(chance() < 0.02 ? broken : insides, 3);
      events.push(framing(body.replaceAll('@', () => words).replaceAll('#', () => others)));
    }
    if (chance() < 0.05) events.push(pick(endings));
  }
  return events.join('');
}
