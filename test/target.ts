// Targets for codec tests: a provider of a format with the quirks the test is about.

import type { Format } from '../src/exchange/format.ts';
import type { Target } from '../src/exchange/target.ts';

const timeouts = { connect: 1000, firstByte: 1000, idle: 1000, total: 1000 };

export function targetOf(format: Format, quirks: readonly string[] = [], model = 'model-1'): Target {
  return {
    provider: {
      name: 'provider',
      format,
      baseUrl: 'https://provider.example',
      auth: 'bearer',
      keys: [],
      headers: {},
      catalogue: 'provider',
      billing: { mode: 'strict', abortStops: true, lowWater: 64 },
      tier: 'verified',
      quirks,
      owns: [],
      trust: 'config',
      timeouts,
      settings: {},
    },
    model,
    timeouts,
  };
}
