import { decodeMulti } from '@msgpack/msgpack';

/** Puts together what a server answers, in whatever pieces it comes. */
export class ReceivedAnswers {
  #received = Buffer.alloc(0);

  /** The answers that are whole now. Throws where their form is one that agents drop a connection over. */
  add(bytes: Buffer): unknown[] {
    this.#received = Buffer.concat([this.#received, bytes]);
    let answers: unknown[];
    try {
      answers = [...decodeMulti(this.#received)];
    } catch (error) {
      // The rest of the answer is still to come.
      if (error instanceof RangeError) return [];
      throw error;
    }
    const first = this.#received[0];
    this.#received = Buffer.alloc(0);
    // An array of four in a longer form.
    if (first !== 0x94) throw new Error('an answer of a form that agents refuse');
    return answers;
  }
}
