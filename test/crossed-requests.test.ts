// What single settings of a request become in another format: a table of requests as clients write them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Format } from '../src/exchange/format.ts';
import { send } from './send.ts';

interface Case {
  readonly from: Format;
  readonly to: Format;
  readonly model: string;
  readonly quirks?: readonly string[];
  readonly said: Record<string, unknown>;
  /** The member of the provider's request that the case is about. */
  readonly member: string;
  readonly sent: unknown;
  readonly losses: readonly string[];
}

const bodies: Readonly<Record<Format, Record<string, unknown>>> = {
  'openai-chat': { model: 'm', messages: [{ role: 'user', content: 'Hi' }] },
  'anthropic-messages': { model: 'm', max_tokens: 9000, messages: [{ role: 'user', content: 'Hi' }] },
  'gemini-generate': { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
};

const thinks = {
  from: 'anthropic-messages',
  to: 'gemini-generate',
  model: 'gemini-2.5-flash',
  member: 'generationConfig',
  losses: [],
} as const;
const enabled = { type: 'enabled', budget_tokens: 2000 };
const budget = { thinkingBudget: 2000 };
const shown = { includeThoughts: true };

const hides = {
  from: 'gemini-generate',
  to: 'anthropic-messages',
  model: 'claude-opus-4-6',
  member: 'thinking',
  losses: [],
} as const;
const limited = (thinkingConfig: object) => ({ generationConfig: { maxOutputTokens: 9000, thinkingConfig } });

const off = { from: 'anthropic-messages', to: 'openai-chat', member: 'reasoning_effort', sent: undefined } as const;
const disabled = { thinking: { type: 'disabled' } };

const filmed = {
  from: 'gemini-generate',
  to: 'openai-chat',
  model: 'm',
  said: {
    contents: [
      { role: 'user', parts: [{ text: 'Look' }, { fileData: { mimeType: 'video/mp4', fileUri: 'https://v/x.mp4' } }] },
    ],
  },
  member: 'messages',
} as const;

const cases: Readonly<Record<string, Case>> = {
  'thoughts that Claude shows unasked are asked of Gemini': {
    ...thinks,
    said: { thinking: enabled },
    sent: { maxOutputTokens: 9000, thinkingConfig: { ...budget, ...shown } },
  },
  'and adaptive ones': {
    ...thinks,
    said: { thinking: { type: 'adaptive' } },
    sent: { maxOutputTokens: 9000, thinkingConfig: { thinkingBudget: -1, ...shown } },
  },
  'and those of a newer model, which has no budget': {
    ...thinks,
    model: 'gemini-3-pro-preview',
    said: { thinking: { type: 'adaptive' } },
    sent: { maxOutputTokens: 9000, thinkingConfig: shown },
  },
  'thoughts that a client of Claude wants': {
    ...thinks,
    said: { thinking: { ...enabled, display: 'summarized' } },
    sent: { maxOutputTokens: 9000, thinkingConfig: { ...budget, ...shown } },
  },
  'thoughts that it does not want': {
    ...thinks,
    said: { thinking: { ...enabled, display: 'omitted' } },
    sent: { maxOutputTokens: 9000, thinkingConfig: { ...budget, includeThoughts: false } },
  },
  'an effort alone asks for no thoughts': {
    ...thinks,
    said: { output_config: { effort: 'low' } },
    sent: { maxOutputTokens: 9000, thinkingConfig: { thinkingBudget: 1024 } },
  },
  'thoughts that nobody asked to see are no loss where they cannot be shown': {
    ...off,
    model: 'gpt-5',
    said: { thinking: { type: 'adaptive' } },
    losses: [],
  },
  'thoughts that were asked for are one': {
    ...off,
    model: 'gpt-5',
    said: { thinking: { type: 'adaptive', display: 'summarized' } },
    losses: ['dropped thinking.display'],
  },
  'thoughts that Gemini hides unasked are hidden by Claude': {
    ...hides,
    said: limited(budget),
    sent: { type: 'enabled', budget_tokens: 2000, display: 'omitted' },
  },
  'and those of any budget': {
    ...hides,
    said: limited({ thinkingBudget: -1 }),
    sent: { type: 'adaptive', display: 'omitted' },
  },
  'thoughts that a client of Gemini wants': {
    ...hides,
    said: limited({ ...budget, ...shown }),
    sent: { type: 'enabled', budget_tokens: 2000, display: 'summarized' },
  },
  'no thinking is not said to a model that never thinks: it would refuse the word': {
    ...off,
    model: 'gpt-4o',
    said: disabled,
    losses: [],
  },
  'nor to one behind a router': { ...off, model: 'openai/gpt-4.1-mini', said: disabled, losses: [] },
  'nor to one that cannot stop': { ...off, model: 'o3', said: disabled, losses: ['dropped thinking'] },
  'nor by a client of Gemini': {
    ...off,
    from: 'gemini-generate',
    model: 'gpt-5',
    said: limited({ thinkingBudget: 0 }),
    losses: ['dropped generationConfig.thinkingConfig'],
  },
  'a switch says it': {
    ...off,
    model: 'deepseek-chat',
    quirks: ['reasoning-content'],
    said: disabled,
    member: 'thinking',
    sent: { type: 'disabled' },
    losses: [],
  },
  'a limit that only the gateway had to set is no loss': {
    from: 'openai-chat',
    to: 'anthropic-messages',
    model: 'claude-sonnet-4-5',
    said: {},
    member: 'max_tokens',
    sent: 32_000,
    losses: [],
  },
  'a video is told as lost where there is no part for it': {
    ...filmed,
    quirks: ['no-video'],
    sent: [{ role: 'user', content: 'Look' }],
    losses: ['dropped contents[0].parts[1]'],
  },
  'and sent where there may be one': {
    ...filmed,
    sent: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'video_url', video_url: { url: 'https://v/x.mp4' } },
        ],
      },
    ],
    losses: [],
  },
};

for (const [name, { from, to, model, quirks, said, member, sent, losses }] of Object.entries(cases)) {
  test(`${from} > ${to}: ${name}`, () => {
    const { body, losses: told } = send(from, to, { ...bodies[from], ...said }, model, quirks);
    assert.deepEqual(body[member], sent);
    assert.deepEqual(
      told.map((loss) => `${loss.how} ${loss.field}`),
      losses,
    );
  });
}
