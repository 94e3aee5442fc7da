/** Units -> elements: words with their tags below, spans highlighted. The text itself stays as it was sent. */

import { hueOf } from "./glosses.js";
import { valueOf } from "./units.js";

/** Between two tags, in em of the words. */
const GAP_EM = 0.3;
const SPACE_EM = 0.25;
/** A word that is longer is wider than any tag. */
const LONG = 24;

const PUNCTUATION = /^[\p{P}\p{S}]+$/u;
/** What may stand over the end of a tag: it has none itself. */
const ROOM = /^[\s\p{P}\p{S}]/u;

/** How wide words and tags are. Tags hang below their words and take no room, so that text is broken into lines,
 * shaped and ordered (right-to-left, too) as if they were not there; a word narrower than its tag gets padding. */
export class Widths {
  #context = document.createElement("canvas").getContext("2d");
  #fonts;
  #known = { word: new Map(), tag: new Map() };

  /** @param {HTMLElement} container Where words are shown. */
  constructor(container) {
    const { fontFamily, fontSize } = getComputedStyle(container);
    const size = parseFloat(fontSize);
    const tagSize = size * parseFloat(getComputedStyle(container).getPropertyValue("--tag-size"));
    this.#fonts = { word: `${size}px ${fontFamily}`, tag: `${tagSize}px ${fontFamily}`, size };
  }

  /** The padding at each side of a word, in em. */
  padding(word, tag, isRoomAfter) {
    if (!tag || word.length > LONG) return 0;
    const room = this.#measure("word", word) + (isRoomAfter ? SPACE_EM : 0);
    return Math.max(0, this.#measure("tag", tag) + GAP_EM - room) / 2;
  }

  #measure(kind, text) {
    const known = this.#known[kind];
    if (!known.has(text)) {
      this.#context.font = this.#fonts[kind];
      known.set(text, this.#context.measureText(text).width / this.#fonts.size);
    }
    return known.get(text);
  }
}

/**
 * @param {string} text The document's.
 * @param {import("./units.js").Unit[]} units Some of its units.
 * @param {number} start Where in the text to begin, at or before the first unit.
 * @param {number} end Where to end.
 * @param {{layer: string, labels: string[], widths: Widths}} look The layer under the words, the labels of spans.
 * @returns {{fragment: DocumentFragment, words: HTMLElement[]}} One word for each unit.
 */
export function renderWords(text, units, start, end, { layer, labels, widths }) {
  const fragment = document.createDocumentFragment();
  const words = [];
  let cursor = start;
  let mark = null;
  units.forEach((unit, index) => {
    const before = units[index - 1];
    const isSameSpan = before && unit.span !== null && before.span === unit.span;
    if (!isSameSpan) mark = null;
    const gap = text.slice(cursor, unit.start);
    (mark ?? fragment).append(gap);
    if (before && before.sentence !== unit.sentence && !gap.includes("\n")) fragment.append(make("span", "seam"));
    if (!mark && unit.span) {
      mark = make("mark");
      mark.dataset.label = unit.span.label;
      mark.style.setProperty("--hue", hueOf(unit.span.label, labels));
      fragment.append(mark);
    }
    const surface = text.slice(unit.start, unit.end);
    const word = make("span", "word");
    word.setAttribute("role", "button");
    word.tabIndex = -1;
    word.append(surface);
    const tag = layer && !PUNCTUATION.test(surface) ? valueOf(unit, layer) : "";
    if (tag) word.dataset.tag = tag;
    const padding = widths.padding(surface, tag, ROOM.test(text[unit.end] ?? " "));
    if (padding) word.style.paddingInline = `${padding.toFixed(2)}em`;
    (mark ?? fragment).append(word);
    words.push(word);
    cursor = unit.end;
  });
  fragment.append(text.slice(cursor, end));
  return { fragment, words };
}

function make(name, className = "") {
  const element = document.createElement(name);
  if (className) element.className = className;
  return element;
}
