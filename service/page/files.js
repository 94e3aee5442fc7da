/** A file -> its text. */

import { megabytes } from "./amounts.js";
import { Problem } from "./service.js";

const LARGEST_MB = 8;

/**
 * @param {File} file
 * @returns {Promise<string>}
 * @throws {Problem} It is too large, cannot be read, or is no text.
 */
export async function readText(file) {
  if (file.size > LARGEST_MB * 1_000_000) {
    throw new Problem(`${file.name} has ${megabytes(file.size)}; this page takes at most ${LARGEST_MB} MB as one text.`);
  }
  let bytes;
  try {
    bytes = await file.arrayBuffer();
  } catch {
    throw new Problem(`${file.name} cannot be read.`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Problem(`${file.name} is not a text in UTF-8.`);
  }
}
