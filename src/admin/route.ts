// What a route of the control plane is: one row, from which dispatch, the OpenAPI document and the access test are made.

import type { z } from 'zod';
import type { AdminParts } from './parts.ts';

export interface Ask {
  /** Values of the `{name}` steps of the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed and validated by the route's `body`; undefined where it has none. */
  readonly body: unknown;
}

export type Answer =
  | { readonly status: number; readonly json: unknown }
  | { readonly status: number; readonly text: string; readonly contentType: string };

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** `/admin/keys/{id}`. */
  readonly path: string;
  /** `open`: everybody who reaches the port; `metrics`: as the configuration says; `admin`: the admin token. */
  readonly access: 'open' | 'metrics' | 'admin';
  readonly summary: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: z.ZodType;
  /** Of the answer where all is well; 201 for a POST that makes something, else 200. */
  readonly status?: 200 | 201;
  /** 1,000,000 where unset. */
  readonly bodyMaxBytes?: number;
  /** What the answer holds, for the document. */
  readonly answers: string;
  readonly handle: (ask: Ask, parts: AdminParts) => Answer | Promise<Answer>;
}

export function ok(json: unknown, status = 200): Answer {
  return { status, json };
}
