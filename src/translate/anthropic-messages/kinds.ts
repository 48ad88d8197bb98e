// The types of a Messages request's fields.

import { array, boolean, either, fields, type Kind, nested, number, object, string, tagged } from '../kinds.ts';

const marked = (kinds: Readonly<Record<string, Kind>>): Kind => fields({ ...kinds, cache_control: object });

const content: Kind = either(string, array(nested(() => block)));

const source = fields({ type: string, data: string, media_type: string, url: string, file_id: string, content });
const citations = fields({ enabled: boolean });
const media = marked({ source, title: string, context: string, citations });

const block = tagged({
  text: marked({ text: string, citations: array(object) }),
  image: media,
  document: media,
  search_result: marked({ content: array(fields({ text: string })), title: string, source: string, citations }),
  thinking: fields({ thinking: string, signature: string }),
  redacted_thinking: fields({ data: string }),
  tool_use: marked({ id: string, name: string, input: object }),
  tool_result: marked({ tool_use_id: string, content, is_error: boolean }),
});

const format = fields({ type: string, schema: object });

export const request = marked({
  messages: array(fields({ role: string, content })),
  system: content,
  temperature: number,
  top_p: number,
  top_k: number,
  stop_sequences: array(string),
  tools: array(marked({ type: string, name: string, description: string, input_schema: object, strict: boolean })),
  tool_choice: fields({ type: string, name: string, disable_parallel_tool_use: boolean }),
  thinking: fields({ type: string, budget_tokens: number, display: string }),
  output_config: fields({ effort: string, format }),
  output_format: format,
  metadata: fields({ user_id: string }),
  service_tier: string,
});
