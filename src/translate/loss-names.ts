// What a crossing lost, named as the client wrote it: an encoder knows only its own side's words, and turns by number.

import type { Format } from '../exchange/format.ts';
import type { Loss } from '../exchange/prompt.ts';

/** One row a field: its name in each format. Encoders may report by any of them. */
const names: readonly Readonly<Record<Format, string>>[] = [
  row('max_completion_tokens', 'max_tokens', 'generationConfig.maxOutputTokens'),
  row('top_k', 'top_k', 'generationConfig.topK'),
  row('top_p', 'top_p', 'generationConfig.topP'),
  row('temperature', 'temperature', 'generationConfig.temperature'),
  row('stop', 'stop_sequences', 'generationConfig.stopSequences'),
  row('seed', 'seed', 'generationConfig.seed'),
  row('n', 'n', 'generationConfig.candidateCount'),
  row('logprobs', 'logprobs', 'generationConfig.responseLogprobs'),
  row('top_logprobs', 'top_logprobs', 'generationConfig.logprobs'),
  row('presence_penalty', 'presence_penalty', 'generationConfig.presencePenalty'),
  row('frequency_penalty', 'frequency_penalty', 'generationConfig.frequencyPenalty'),
  row('response_format', 'output_config.format', 'generationConfig.responseSchema'),
  row('modalities', 'modalities', 'generationConfig.responseModalities'),
  row('audio', 'audio', 'generationConfig.speechConfig'),
  row('reasoning_effort', 'output_config.effort', 'generationConfig.thinkingConfig.thinkingLevel'),
  row('reasoning_effort', 'thinking', 'generationConfig.thinkingConfig'),
  row('reasoning_effort', 'thinking.budget_tokens', 'generationConfig.thinkingConfig.thinkingBudget'),
  row('include_reasoning', 'thinking.display', 'generationConfig.thinkingConfig.includeThoughts'),
  row('parallel_tool_calls', 'tool_choice.disable_parallel_tool_use', 'toolConfig'),
  row('tool_choice', 'tool_choice', 'toolConfig.functionCallingConfig'),
  row('user', 'metadata.user_id', 'labels'),
];

function row(chat: string, messages: string, gemini: string): Readonly<Record<Format, string>> {
  return { 'openai-chat': chat, 'anthropic-messages': messages, 'gemini-generate': gemini };
}

const turn = /^messages\[(\d+)\]/;

/** `places` are the client's names of the prompt's turns. */
export function inClientsWords(client: Format, losses: readonly Loss[], places: readonly string[]): Loss[] {
  return losses.map((loss) => {
    const known = names.find((each) => Object.values(each).includes(loss.field));
    if (known) return { ...loss, field: known[client] };
    // Tools are named by the client's words already; only here a setting of theirs has another place.
    if (client === 'openai-chat' && /^tools\[\d+\]\.strict$/.test(loss.field))
      return { ...loss, field: loss.field.replace('.strict', '.function.strict') };
    const field = loss.field.replace(turn, (whole, index) => places[Number(index)] ?? whole);
    return { ...loss, field: field === loss.field ? field : inside(client, field) };
  });
}

/** What stands inside a turn: contents of Gemini have parts, and a system text has no content of its own. */
function inside(client: Format, field: string): string {
  if (client === 'gemini-generate') return field.replace('.content[', '.parts[');
  return field.replace(/^system\.content\[/, 'system[');
}
