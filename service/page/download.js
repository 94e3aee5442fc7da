/**
 * What the service wants a key for -> a file. Links cannot send a key, so the page fetches it: straight to the disk where
 * the browser lets a page choose a file, else through a Blob, which has a limit.
 */

import { fetchFile, Problem } from "./service.js";

const LARGEST_BLOB_GB = 1;
const FORGET_MS = 60_000;

/** Whether files of any size can be saved. */
export function canStream() {
  return "showSaveFilePicker" in window;
}

/**
 * @param {string} path Where it is.
 * @param {string} name What to call the file.
 * @returns {Promise<boolean>} Whether it is saved: false if the visitor chose no place for it.
 * @throws {Problem} What the service refused, that it broke off, or that it is too large for this browser.
 */
export async function saveFile(path, name) {
  if (!canStream()) {
    saveBlob(await readBlob(await fetchFile(path)), name);
    return true;
  }
  const handle = await chooseFile(name); // first, as long as the click counts
  if (!handle) return false;
  const response = await fetchFile(path);
  try {
    await response.body.pipeTo(await handle.createWritable()); // which closes it, or throws away what came
  } catch {
    throw new Problem(`${name} could not be saved whole.`);
  }
  return true;
}

async function chooseFile(name) {
  try {
    return await showSaveFilePicker({ suggestedName: name });
  } catch (error) {
    if (error.name === "AbortError") return null;
    throw new Problem("The browser does not allow saving; press the button again.");
  }
}

/** The body as a Blob, made of small ones, which the browser may keep on the disk. */
async function readBlob(response) {
  const reader = response.body.getReader();
  const pieces = [];
  let size = 0;
  for (;;) {
    const { done, value } = await readPiece(reader);
    if (done) return new Blob(pieces);
    size += value.length;
    if (size > LARGEST_BLOB_GB * 1e9) {
      reader.cancel();
      throw new Problem(`This browser saves at most ${LARGEST_BLOB_GB} GB with an API key: fetch it by another program.`);
    }
    pieces.push(new Blob([value]));
  }
}

async function readPiece(reader) {
  try {
    return await reader.read();
  } catch {
    throw new Problem("The service broke off.");
  }
}

function saveBlob(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), FORGET_MS);
}
