import type { Nothing } from '../budget/nothing.ts';

export type Wrong = Nothing;
