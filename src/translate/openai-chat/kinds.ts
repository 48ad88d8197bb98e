// The types of a chat request's fields, those of its dialects included.

import { array, boolean, either, fields, type Kind, number, object, string, tagged } from '../kinds.ts';

const marked = (kinds: Readonly<Record<string, Kind>>): Kind => fields({ ...kinds, cache_control: object });

const address = either(string, fields({ url: string }));

const part = tagged({
  text: marked({ text: string }),
  input_text: marked({ text: string }),
  output_text: marked({ text: string }),
  refusal: fields({ refusal: string }),
  thinking: fields({ thinking: either(string, array(fields({ text: string }))) }),
  image_url: marked({ image_url: either(string, fields({ url: string, detail: string })) }),
  input_audio: marked({ input_audio: either(string, fields({ data: string, format: string })) }),
  file: marked({ file: fields({ file_id: string, file_data: string, filename: string }) }),
  document_url: marked({ document_url: address, document_name: string }),
  video_url: marked({ video_url: address }),
});

/** Arguments are text; some dialects write them as the object itself, and any value is carried. */
const called = fields({ name: string });
const proof = fields({ google: fields({ thought_signature: string }) });

const message = marked({
  role: string,
  content: either(string, array(either(string, part))),
  name: string,
  tool_calls: array(
    fields({ id: string, function: called, custom: called, extra_content: proof, thought_signature: string }),
  ),
  function_call: called,
  tool_call_id: string,
  reasoning: string,
  reasoning_content: string,
  reasoning_details: array(fields({ text: string, summary: string, signature: string, data: string })),
  refusal: string,
  audio: fields({ id: string }),
  images: array(either(string, object)),
  extra_content: proof,
  thought_signature: string,
  is_error: boolean,
});

const declared = fields({ name: string, description: string, parameters: object, strict: boolean });
const chosen = fields({ type: string, name: string, function: called, custom: called, allowed_tools: object });

export const request = fields({
  messages: array(message),
  temperature: number,
  top_p: number,
  top_k: number,
  stop: either(string, array(string)),
  seed: number,
  random_seed: number,
  logprobs: boolean,
  top_logprobs: number,
  presence_penalty: number,
  frequency_penalty: number,
  logit_bias: object,
  reasoning_effort: string,
  reasoning: fields({ effort: string, max_tokens: number, enabled: boolean, exclude: boolean }),
  thinking: fields({ type: string, budget_tokens: number }),
  include_reasoning: boolean,
  enable_thinking: boolean,
  response_format: fields({
    type: string,
    schema: object,
    json_schema: fields({ name: string, description: string, schema: object, strict: boolean }),
  }),
  verbosity: string,
  modalities: array(string),
  audio: fields({ voice: either(string, fields({ id: string })), format: string }),
  user: string,
  safety_identifier: string,
  service_tier: string,
  tools: array(marked({ type: string, function: declared, custom: declared })),
  functions: array(declared),
  tool_choice: either(string, chosen),
  function_call: either(string, chosen),
  parallel_tool_calls: boolean,
  web_search_options: object,
});
