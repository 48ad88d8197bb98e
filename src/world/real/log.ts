// Structured logs, one JSON line each, through pino. Fields are flat facts; prompts, keys and headers never get here.

import pino from 'pino';
import type { Log } from '../world.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** `worker`: which of several processes says it. */
export function createLog(level: LogLevel, worker?: number): Log {
  const logger = pino(
    {
      level,
      base: worker === undefined ? null : { worker },
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ fd: 2, sync: false, minLength: 0, maxLength: 1 << 20 }),
  );
  return {
    debugs: logger.isLevelEnabled('debug'),
    debug: (event, fields) => logger.debug(fields ?? {}, event),
    info: (event, fields) => logger.info(fields ?? {}, event),
    warn: (event, fields) => logger.warn(fields ?? {}, event),
    error: (event, fields) => logger.error(fields ?? {}, event),
  };
}
