/** Which panel is seen: the address says it, so that a reload stays there; style.css hides the other one. */

/** The panels, by the ids of what comes first in them. */
export const TEXT = "text-form";
export const FILES = "files";

const links = document.querySelectorAll("#tabs a");

/** The panel that is seen. */
export function seenPanel() {
  return location.hash === `#${FILES}` ? FILES : TEXT;
}

/** @param {() => void} then Called when another panel is seen. */
export function onPanelChange(then) {
  addEventListener("hashchange", then);
}

function markLinks() {
  for (const link of links) {
    if (link.hash === `#${seenPanel()}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

onPanelChange(markLinks);
markLinks();
