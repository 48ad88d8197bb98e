// What a scripted provider says, and what it saw: the neutral ends of test/clients, free of any wire format.

import type { Format } from '../../src/exchange/format.ts';

export interface ScriptedCall {
  readonly id: string;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** One turn of the model. */
export interface Said {
  readonly reasoning?: { readonly text: string; readonly signature: string };
  readonly text?: string;
  readonly calls?: readonly ScriptedCall[];
  /** Tokens as the bill has them; `output` includes `reasoning`, `input` includes `cached`. */
  readonly usage: { readonly input: number; readonly output: number; readonly reasoning?: number };
}

/** A request as the provider read it, out of its own format's places. */
export interface Seen {
  readonly model: string;
  readonly stream: boolean;
  readonly system: string;
  /** The words of user and assistant in order, each with its speaker. */
  readonly spoken: readonly string[];
  readonly tools: readonly { readonly name: string; readonly description: string; readonly schema: unknown }[];
  /** Calls of earlier turns and the results that answer them, paired the way this format pairs them. */
  readonly calls: readonly { readonly name: string; readonly input: unknown }[];
  readonly results: readonly { readonly name: string; readonly value: string }[];
  /** Base64 with its media type, or an address. */
  readonly images: readonly string[];
  readonly schema: unknown;
  /** Whether the model was asked to think. */
  readonly thinks: boolean;
  readonly signatures: readonly string[];
  /** What the thoughts say that a proof is for, where the format's proofs are of words. */
  readonly thoughts?: readonly string[];
}

/** How one format's provider talks. */
export interface Wire {
  readonly format: Format;
  answer(said: Said, model: string): unknown;
  /** The data of each event in order, with the event's name where the format has names. */
  stream(said: Said, model: string): readonly string[];
  error(status: number): unknown;
  seen(path: string, body: Json): Seen;
}

export type Json = Readonly<Record<string, unknown>>;

export function object(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map(object) : [];
}

export function words(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Splits a text the way models put out tokens: nothing may depend on where. */
export function pieces(text: string, size: number): string[] {
  const cut: string[] = [];
  for (let at = 0; at < text.length; at += size) cut.push(text.slice(at, at + size));
  return cut;
}

export const errorWords: Readonly<Record<number, string>> = {
  400: 'The value of temperature is out of range.',
  429: 'Too many requests, slow down.',
  500: 'The server had an error while processing your request.',
};
