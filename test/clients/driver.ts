// What the scenarios ask of a client library, in no library's own words.

import type { ScriptedCall } from './script.ts';

export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

export type Turn =
  | { readonly role: 'user'; readonly text: string; readonly images?: readonly Image[] }
  | { readonly role: 'assistant'; readonly text: string }
  /** An answer sent back just as the library keeps it. */
  | { readonly role: 'back'; readonly answer: Answer }
  | { readonly role: 'results'; readonly results: readonly { readonly call: ScriptedCall; readonly value: string }[] };

export type Image = { readonly base64: string; readonly mediaType: string } | { readonly url: string };

export interface Ask {
  readonly model: string;
  readonly system?: string;
  readonly turns: readonly Turn[];
  readonly tools?: readonly Tool[];
  readonly schema?: Readonly<Record<string, unknown>>;
  readonly thinks?: boolean;
  /** How often the library may try again by itself; its own default where absent. */
  readonly retries?: number;
  /** Aborted by the driver at the first piece of text. */
  readonly abort?: AbortController;
}

export interface Answer {
  readonly text: string;
  readonly calls: readonly ScriptedCall[];
  readonly reasoning: string;
  readonly usage: { readonly input: number; readonly output: number };
  /** USD, as the gateway told it; undefined on a stream whose library shows no such thing. */
  readonly cost: number | undefined;
  /** What structured output parses to. */
  readonly parsed?: unknown;
  /** How the library itself keeps the turn. */
  readonly kept: unknown;
}

export interface Failure {
  readonly status: number | undefined;
  readonly message: string;
  /** The error's class. */
  readonly name: string;
}

export interface Driver {
  readonly name: string;
  ask(ask: Ask): Promise<Answer>;
  stream(ask: Ask): Promise<Answer>;
  failure(error: unknown): Failure;
}

export type MakeDriver = (gateway: { readonly url: string; readonly key: string }) => Driver;

export function dataUrl(image: Image): string {
  return 'url' in image ? image.url : `data:${image.mediaType};base64,${image.base64}`;
}

export function usd(headers: Headers | Record<string, string> | undefined): number | undefined {
  const value = headers && new Headers(headers).get('x-tollgate-cost');
  return value ? Number(value) : undefined;
}

export function className(error: unknown): string {
  return error instanceof Error ? error.constructor.name : typeof error;
}

export function statusOf(error: unknown): number | undefined {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' ? status : undefined;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
