// Fields that several bodies of the control plane have in common.

import { z } from 'zod';
import { parseUsd } from '../exchange/money.ts';

/** Read into nano-USD; more than 2^53 of them is no amount. */
export const amount = z
  .union([z.string(), z.number()])
  .refine(
    (value) => parseUsd(value) !== undefined,
    'must be an amount such as "0.01 USD", at most 9007199 USD and 9 decimals',
  )
  .transform((value) => parseUsd(value) ?? 0);

export const period = z.enum(['minute', 'hour', 'day', 'week', 'month', 'lifetime']);

export const tier = z.string().regex(/^[\w.-]{1,64}$/, 'must be a word such as gold');
