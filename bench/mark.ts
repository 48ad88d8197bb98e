// The time stamp that each content chunk carries as its text, so that its delay can be read behind any translation.

/** `~`, 16 digits of microseconds on the machine's monotonic clock (one clock for all processes), `~`. */
export const markLength = 18;
export const markByte = 0x7e;

export function microsNow(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

export function mark(micros: number): string {
  return `~${String(micros).padStart(16, '0')}~`;
}
