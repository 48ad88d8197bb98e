// One whole server-sent event: its bytes as they came, and its fields, decoded only when somebody asks.

export class Frame {
  /** The event as received, its closing blank line included. */
  readonly bytes: Buffer;
  #latin1: string | undefined;
  #event: string | undefined;
  #data: string | undefined;
  #words: string | undefined;
  /** Where the words stand in the bytes, as the inside of a JSON string; -1 while nobody has found them so. */
  #wordsFrom = -1;
  #wordsTo = -1;

  /** `latin1`: the same bytes, one character each, where somebody has read them so already. */
  constructor(bytes: Buffer, latin1?: string) {
    this.bytes = bytes;
    this.#latin1 = latin1;
  }

  /** The bytes, one character each: positions in it are those in the bytes. Made once. */
  get latin1(): string {
    this.#latin1 ??= this.bytes.toString('latin1');
    return this.#latin1;
  }

  /** The `event:` field; empty where there is none. */
  get event(): string {
    if (this.#event === undefined) this.#parse();
    return this.#event ?? '';
  }

  /** The `data:` lines joined by line feeds; empty for a comment or a heartbeat. */
  get data(): string {
    if (this.#data === undefined) this.#parse();
    return this.#data ?? '';
  }

  /** All that the event says of an answer, where a lane has found it without a parse; undefined where only a parse can tell. */
  get words(): string | undefined {
    if (this.#words !== undefined || this.#wordsFrom < 0) return this.#words;
    try {
      return JSON.parse(`"${this.bytes.toString('utf8', this.#wordsFrom, this.#wordsTo)}"`) as string;
    } catch {
      return undefined;
    }
  }

  foundWords(words: string): void {
    this.#words = words;
  }

  foundWordsAt(from: number, to: number): void {
    this.#wordsFrom = from;
    this.#wordsTo = to;
  }

  #parse(): void {
    const whole = this.bytes.toString('utf8');
    // One line of data is what nearly every event is: 0.2 us where the lines of any other take 1.
    if (
      whole.startsWith('data: ') &&
      whole.endsWith('\n\n') &&
      whole.indexOf('\n') === whole.length - 2 &&
      !whole.includes('\r')
    ) {
      this.#event = '';
      this.#data = whole.slice(6, -2);
      return;
    }
    let event = '';
    let data: string | undefined;
    for (const line of whole.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
      const colon = line.indexOf(':');
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(line.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1);
      if (field === 'event') event = value;
      else if (field === 'data') data = data === undefined ? value : `${data}\n${value}`;
    }
    this.#event = event;
    this.#data = data ?? '';
  }
}
