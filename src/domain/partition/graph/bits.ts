/** A growing set of whole numbers, as bits in words of 32. */
export class Bits {
  private words = new Int32Array(8);

  add(number: number): void {
    const word = number >> 5;
    if (word >= this.words.length) {
      const larger = new Int32Array(Math.max(2 * this.words.length, word + 1));
      larger.set(this.words);
      this.words = larger;
    }
    this.words[word] = (this.words[word] ?? 0) | (1 << (number & 31));
  }

  delete(number: number): void {
    const word = number >> 5;
    if (word < this.words.length) this.words[word] = (this.words[word] ?? 0) & ~(1 << (number & 31));
  }

  has(number: number): boolean {
    return (this.at(number >> 5) & (1 << (number & 31))) !== 0;
  }

  /** How many steps it takes to go through it. */
  get steps(): number {
    return this.words.length;
  }

  /** 32 of the numbers at once: those from 32 × `word` on. */
  at(word: number): number {
    return word < this.words.length ? (this.words[word] ?? 0) : 0;
  }

  /** Adds these numbers, but for some, to bits of another; returns how many steps that took. */
  orInto(words: Int32Array, except: NumberSet | undefined): number {
    const own = this.words;
    const length = Math.min(words.length, own.length);
    if (except instanceof Bits) {
      const { words: others } = except;
      for (let word = 0; word < length; word++)
        words[word] = (words[word] ?? 0) | ((own[word] ?? 0) & ~(others[word] ?? 0));
    } else
      for (let word = 0; word < length; word++)
        words[word] = (words[word] ?? 0) | ((own[word] ?? 0) & ~(except?.at(word) ?? 0));
    return length;
  }
}

/** Numbers in ascending order, for sets that are too small for {@link Bits}. */
export class SparseBits {
  private readonly numbers: number[] = [];

  add(number: number): void {
    this.numbers.splice(this.placeOf(number), 0, number);
  }

  at(word: number): number {
    let bits = 0;
    for (let place = this.placeOf(word << 5); place < this.numbers.length; place++) {
      const number = this.numbers[place] ?? 0;
      if (number >> 5 !== word) break;
      bits |= 1 << (number & 31);
    }
    return bits;
  }

  /** How many steps it takes to go through it. */
  get steps(): number {
    return this.numbers.length;
  }

  orInto(words: Int32Array, except: NumberSet | undefined): number {
    for (const number of this.numbers) {
      const word = number >> 5;
      const bit = 1 << (number & 31);
      if (except === undefined || (except.at(word) & bit) === 0) words[word] = (words[word] ?? 0) | bit;
    }
    return this.numbers.length;
  }

  private placeOf(number: number): number {
    let low = 0;
    let high = this.numbers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.numbers[middle] ?? 0) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export type NumberSet = Bits | SparseBits;
