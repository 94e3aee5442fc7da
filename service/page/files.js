/** Files, dropped anywhere on the page or chosen -> their text. */

import { Problem } from "./service.js";

const MEGABYTE = 1_000_000;
const LARGEST_BYTES = 8 * MEGABYTE;

/**
 * @param {HTMLInputElement} input Where a file may be chosen.
 * @param {{take: (text: string, name: string) => void, refuse: (problem: Problem) => void}} then What to do with it.
 */
export function acceptFiles(input, { take, refuse }) {
  const read = async (file) => {
    try {
      take(await readText(file), file.name);
    } catch (problem) {
      refuse(problem);
    }
  };
  input.addEventListener("change", async () => {
    if (input.files.length) await read(input.files[0]);
    input.value = ""; // so that the same file may be chosen again
  });
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return; // text that is dragged goes where it is dropped
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  addEventListener("drop", async (event) => {
    document.body.classList.remove("dropping");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    await read(event.dataTransfer.files[0]);
  });
}

async function readText(file) {
  if (file.size > LARGEST_BYTES) {
    const size = (file.size / MEGABYTE).toFixed(1);
    throw new Problem(`${file.name} has ${size} MB; this page takes at most ${LARGEST_BYTES / MEGABYTE} MB.`);
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
