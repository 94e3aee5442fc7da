/** One clear line about what went wrong, or one for each file; it stays until something goes right. */

import { UNAUTHORIZED } from "./service.js";

export class ProblemLine {
  #line;
  #askForKey;
  #shown = null;
  #timer;

  /**
   * @param {HTMLElement} line Where it is shown, an alert.
   * @param {(then: () => void) => void} askForKey What to do when the service wants a key.
   */
  constructor(line, askForKey) {
    this.#line = line;
    this.#askForKey = askForKey;
  }

  /**
   * @param {Error} problem What went wrong; a Problem of the service, or anything else.
   * @param {{retry?: () => void, about?: string}} options What to do again once there is a key; what it is about.
   */
  show(problem, { retry = () => {}, about = "" } = {}) {
    this.clear();
    this.#shown = problem;
    const prefix = about && `${about}: `;
    this.#line.textContent = `${prefix}${problem.message}`;
    if (problem.status === UNAUTHORIZED) this.#askForKey(retry);
    if (problem.retryAfterS) {
      this.#line.textContent += ` Try again in ${problem.retryAfterS} s.`;
      this.#timer = setTimeout(() => {
        this.#line.textContent = `${prefix}You can try again now.`;
      }, problem.retryAfterS * 1000);
    }
  }

  /** Whether something is told. */
  get isFilled() {
    return this.#shown !== null;
  }

  /** @param {Error} problem Goes if it is still what is told; by default whatever is. */
  clear(problem = this.#shown) {
    if (problem !== this.#shown) return;
    clearTimeout(this.#timer);
    this.#shown = null;
    this.#line.textContent = "";
  }
}
