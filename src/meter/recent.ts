// The last few measurements of one thing, and their quantiles: what a calibration or a learned length rests on.

/** Bounded: the oldest measurement makes room. Kept in order too, by one shift of numbers: sorting 64 anew took 3 µs a request. */
export class Recent {
  readonly #values: number[] = [];
  readonly #size: number;
  #next = 0;
  readonly #sorted: number[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  get count(): number {
    return this.#values.length;
  }

  add(value: number): void {
    const oldest = this.#values[this.#next];
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.#size;
    if (oldest === value) return;
    if (oldest !== undefined) this.#sorted.splice(this.#placeOf(oldest), 1);
    this.#sorted.splice(this.#placeOf(value), 0, value);
  }

  /** The least value that this share of the measurements does not pass; undefined where there is none. */
  quantile(share: number): number | undefined {
    return this.#sorted[Math.min(this.#sorted.length - 1, Math.floor(this.#sorted.length * share))];
  }

  /** Of the first that is not below it. */
  #placeOf(value: number): number {
    let from = 0;
    let to = this.#sorted.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#sorted[middle] ?? value) < value) from = middle + 1;
      else to = middle;
    }
    return from;
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
