import type { Clock } from './world/real/clock.ts';

export type Wrong = Clock;
