import type { Nothing } from '../stream/nothing.ts';

export type Wrong = Nothing;
