import type { Nothing } from '../price/nothing.ts';

export type Wrong = Nothing;
