import type { Main } from '../main.ts';

export type Wrong = Main;
