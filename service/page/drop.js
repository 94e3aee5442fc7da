/** Files, chosen or dropped anywhere on the page, go to the panel that is seen. */

import { seenPanel } from "./tabs.js";

const takers = new Map();

/**
 * @param {string} panel Where files are taken while it is seen.
 * @param {HTMLInputElement} input Where they may be chosen.
 * @param {(files: File[]) => void} take What to do with them.
 */
export function acceptFiles(panel, input, take) {
  takers.set(panel, take);
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = ""; // so that the same file may be chosen again
    if (files.length) take(files);
  });
}

addEventListener("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files")) return; // text that is dragged goes where it is dropped
  event.preventDefault();
  document.body.classList.add("dropping");
});

addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});

addEventListener("drop", (event) => {
  document.body.classList.remove("dropping");
  const files = [...event.dataTransfer.files];
  if (!files.length) return;
  event.preventDefault();
  takers.get(seenPanel())(files);
});
