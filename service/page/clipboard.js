/** Text that is still being made -> the clipboard. */

import { Problem } from "./service.js";

/**
 * @param {Promise<string>} text It is waited for; the browser allows copying only as part of a click.
 * @throws {Problem} Whatever the text failed with, or that the browser does not allow it.
 */
export async function copy(text) {
  const blob = text.then((written) => new Blob([written], { type: "text/plain" }));
  try {
    if (navigator.clipboard) await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    else copySelected(await text); // on plain HTTP from another machine there is no clipboard but this
  } catch (error) {
    await text; // if it is this that failed, that is the reason
    throw error instanceof Problem ? error : new Problem("The browser does not allow copying; press the button again.");
  }
}

function copySelected(text) {
  const area = document.createElement("textarea");
  area.className = "unseen";
  area.value = text;
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  if (!isCopied) throw new Problem("The browser does not allow copying; press the button again.");
}
