/** Asking again and again: often at first, then less, and not at all while the page is hidden or nothing goes on. */

const SHORTEST_MS = 500;
const LONGEST_MS = 4_000;
const SLOWER = 1.3;

export class Polling {
  #ask;
  #isWanted;
  #timer;
  #waitMs = SHORTEST_MS;
  #isAsking = false;
  #isAskedAgain = false;

  /**
   * @param {() => Promise<number | null>} ask Asks once: 0 to go on, the milliseconds to wait before that, or null when
   *   nothing will change by itself. It never throws.
   * @param {() => boolean} isWanted Whether anybody sees the answers.
   */
  constructor(ask, isWanted) {
    this.#ask = ask;
    this.#isWanted = isWanted;
    document.addEventListener("visibilitychange", () => this.now());
  }

  /** Ask at once if anybody sees it, and again soon. */
  async now() {
    this.#waitMs = SHORTEST_MS;
    if (this.#isAsking) this.#isAskedAgain = true;
    else await this.#go();
  }

  async #go() {
    clearTimeout(this.#timer);
    let pauseMs = null;
    this.#isAsking = true;
    do {
      this.#isAskedAgain = false;
      if (document.hidden || !this.#isWanted()) break;
      pauseMs = await this.#ask();
    } while (this.#isAskedAgain);
    this.#isAsking = false;
    if (pauseMs === null) return;
    this.#timer = setTimeout(() => this.#go(), Math.max(this.#waitMs, pauseMs));
    this.#waitMs = Math.min(LONGEST_MS, this.#waitMs * SLOWER);
  }
}
