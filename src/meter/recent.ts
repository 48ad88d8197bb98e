// The last few measurements of one thing, and their quantiles: what a calibration or a learned length rests on.

/** Bounded: the oldest measurement makes room. 32 numbers take 256 bytes; a quantile sorts them, 1 µs, and is remembered. */
export class Recent {
  readonly #values: number[] = [];
  readonly #size: number;
  #next = 0;
  #sorted: readonly number[] | undefined;

  constructor(size: number) {
    this.#size = size;
  }

  get count(): number {
    return this.#values.length;
  }

  add(value: number): void {
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.#size;
    this.#sorted = undefined;
  }

  /** The least value that this share of the measurements does not pass; undefined where there is none. */
  quantile(share: number): number | undefined {
    this.#sorted ??= this.#values.toSorted((a, b) => a - b);
    return this.#sorted[Math.min(this.#sorted.length - 1, Math.floor(this.#sorted.length * share))];
  }
}

/** Measurements by name; the name that was used longest ago makes room. */
export class RecentByName {
  readonly #byName = new Map<string, Recent>();
  readonly #names: number;
  readonly #size: number;

  constructor(names: number, size: number) {
    this.#names = names;
    this.#size = size;
  }

  find(name: string): Recent | undefined {
    const found = this.#byName.get(name);
    // The order matters only once something has to go; moving a name at each use has the table rebuilt again and again.
    if (!found || this.#byName.size * 2 < this.#names) return found;
    this.#byName.delete(name);
    this.#byName.set(name, found);
    return found;
  }

  add(name: string, value: number): void {
    let recent = this.find(name);
    if (!recent) {
      recent = new Recent(this.#size);
      this.#byName.set(name, recent);
      const [oldest] = this.#byName.keys();
      if (this.#byName.size > this.#names && oldest !== undefined) this.#byName.delete(oldest);
    }
    recent.add(value);
  }
}
