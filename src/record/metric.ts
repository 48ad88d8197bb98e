// Counters and histograms with a bounded number of label sets, and their Prometheus text.

/** Not changed once handed over. */
export type Labels = Readonly<Record<string, string>>;

export interface Metric {
  render(): string;
}

/** Label sets of one metric beyond this many are counted under `other`: sums stay right, memory stays bounded. */
export const labelSetsMax = 1000;

/** Integers only; `format` turns a sum into text, so that no sum of money ever is a float. */
export function createCounter(
  name: string,
  help: string,
  format: (sum: number) => string = String,
): Metric & { add(labels: Labels, by: number): void } {
  const sums = createSeries(() => ({ sum: 0 }));
  return {
    add(labels, by) {
      sums.at(labels).sum += by;
    },
    render() {
      return sums.render(name, help, 'counter', (text, { sum }) => `${name}${braces(text)} ${format(sum)}\n`);
    },
  };
}

/** `bounds` are upper bounds in seconds, ascending. */
export function createHistogram(
  name: string,
  help: string,
  bounds: readonly number[],
): Metric & { observe(labels: Labels, seconds: number): void } {
  const series = createSeries(() => ({ counts: new Array<number>(bounds.length + 1).fill(0), sum: 0 }));
  return {
    observe(labels, seconds) {
      if (!(seconds >= 0)) return;
      const found = bounds.findIndex((bound) => seconds <= bound);
      const bucket = found < 0 ? bounds.length : found;
      const each = series.at(labels);
      each.counts[bucket] = (each.counts[bucket] ?? 0) + 1;
      each.sum += seconds;
    },
    render() {
      return series.render(name, help, 'histogram', (text, { counts, sum }) => {
        const comma = text ? `${text},` : '';
        let total = 0;
        let lines = '';
        counts.forEach((count, index) => {
          total += count;
          lines += `${name}_bucket{${comma}le="${bounds[index] ?? '+Inf'}"} ${total}\n`;
        });
        return `${lines}${name}_sum${braces(text)} ${sum}\n${name}_count${braces(text)} ${total}\n`;
      });
    },
  };
}

export function renderGauge(name: string, help: string, values: readonly [Labels, string][]): string {
  return (
    head(name, help, 'gauge') + values.map(([labels, value]) => `${name}${braces(textOf(labels))} ${value}\n`).join('')
  );
}

function createSeries<Value>(empty: () => Value) {
  const values = new Map<string, Value>();
  /** Whoever hands over the same labels object again is spared its text: nine of them were 6 µs a request. */
  const known = new WeakMap<Labels, Value>();
  const find = (labels: Labels): Value => {
    const seen = known.get(labels);
    if (seen) return seen;
    const found = make(labels);
    known.set(labels, found);
    return found;
  };
  const make = (labels: Labels): Value => {
    let text = textOf(labels);
    let value = values.get(text);
    if (value) return value;
    if (values.size >= labelSetsMax) {
      text = textOf(Object.fromEntries(Object.keys(labels).map((key) => [key, 'other'])));
      value = values.get(text);
      if (value) return value;
    }
    value = empty();
    values.set(text, value);
    return value;
  };
  return {
    at: find,
    render(name: string, help: string, type: string, line: (text: string, value: Value) => string): string {
      let text = head(name, help, type);
      for (const [labels, value] of values) text += line(labels, value);
      return text;
    },
  };
}

function head(name: string, help: string, type: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

function textOf(labels: Labels): string {
  let text = '';
  for (const key in labels) text += `${text ? ',' : ''}${key}="${escapeValue(labels[key] ?? '')}"`;
  return text;
}

function braces(text: string): string {
  return text ? `{${text}}` : '';
}

function escapeValue(value: string): string {
  // Almost no value needs it, and the test is cheaper than three replacements.
  if (!/[\\"\n]/.test(value)) return value;
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
