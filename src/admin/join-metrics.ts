// Metrics of several workers as one text: each series with the worker that counts it, what all know alike once.

/** Each worker says them of the same thing; the answering one's word stands, without a label. */
const alike = /^llm_proxy_(budget_remaining|upstream_health)\b/;

/**
 * A label, and no sum: a worker that was started again counts from 0, which Prometheus knows to be no decrease of its own
 * series, where a sum of all would jump. The first is the one that answers.
 */
export function joinMetrics(texts: readonly { readonly worker: number; readonly text: string }[]): string {
  const heads = new Map<string, string[]>();
  texts.forEach(({ worker, text }, index) => {
    let lines: string[] = [];
    for (const line of text.split('\n')) {
      const name = /^# (?:HELP|TYPE) (\S+)/.exec(line)?.[1];
      if (name !== undefined) {
        const known = heads.get(name);
        lines = known ?? [];
        if (!known) heads.set(name, lines);
        if (index === 0) lines.push(line);
      } else if (line !== '' && alike.test(line)) {
        if (index === 0) lines.push(line);
      } else if (line !== '') lines.push(labelled(line, worker));
    }
  });
  return [...heads.values()].map((lines) => `${lines.join('\n')}\n`).join('');
}

/** Behind the other labels. What follows the last brace is the number. */
function labelled(line: string, worker: number): string {
  const end = line.lastIndexOf('}');
  if (end >= 0) return `${line.slice(0, end)},worker="${worker}"${line.slice(end)}`;
  const space = line.indexOf(' ');
  return `${line.slice(0, space)}{worker="${worker}"}${line.slice(space)}`;
}
