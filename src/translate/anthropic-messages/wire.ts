// The Messages wire as it is met: the words both directions share.

/** One server-sent event; clients of this format ignore events without a name. */
export function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
