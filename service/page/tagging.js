/** A text of any length -> its tagged pieces, in order. */

import { cutPieces } from "./pieces.js";
import { tag } from "./service.js";

/**
 * Pieces are tagged one after another. Once the first is there, a busy service is waited for.
 *
 * @param {string} text
 * @param {string} model Its name.
 * @param {AbortSignal} signal Gives up.
 * @yields {{document: object, timing: Map<string, number>}}
 * @throws {Problem} What the service refused.
 */
export async function* tagPieces(text, model, signal) {
  let isFirst = true;
  for (const piece of cutPieces(text)) {
    yield await (isFirst ? tag(piece, model, signal) : tagPatiently(piece, model, signal));
    isFirst = false;
  }
}

async function tagPatiently(piece, model, signal) {
  for (;;) {
    try {
      return await tag(piece, model, signal);
    } catch (problem) {
      if (!problem.retryAfterS) throw problem;
      await sleep(problem.retryAfterS * 1000, signal);
    }
  }
}

function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
