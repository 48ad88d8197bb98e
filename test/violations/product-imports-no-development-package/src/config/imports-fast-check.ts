import type { Arbitrary } from 'fast-check';

export type Wrong = Arbitrary<number>;
