import type { ZodType } from 'zod';

export type Wrong = ZodType;
