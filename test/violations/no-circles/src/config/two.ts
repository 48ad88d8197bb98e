import type { One } from './one.ts';

export type Two = One | 2;
