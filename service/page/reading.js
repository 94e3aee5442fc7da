/**
 * The tagged text as it is read. It is divided into blocks of a few paragraphs; only those near the window are made into
 * words, the others are plain text (which the browser finds and copies), so that a book costs no more than a page.
 *
 * By keyboard it is one stop of Tab; the arrow keys walk from word to word and from sentence to sentence.
 */

import { toUnits } from "./units.js";
import { renderWords, Widths } from "./words.js";

/** A block ends at the first line end after so many characters, */
const BLOCK = 1_200;
/** or at the next sentence after so many, or at any word after twice as many. */
const LONG_BLOCK = 4_000;
/** How far from the window a block is still made into words. */
const NEAR = "600px 0px";

const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

export class Reading {
  #container;
  #details;
  #observer;
  #look;
  #blocks = [];
  #current = null; // the word that Tab leads to: {block, index}
  #places = new WeakMap(); // word -> its place, the same

  /**
   * @param {HTMLElement} container Where the text is shown.
   * @param {import("./details.js").Details} details Shows what is known of one word.
   */
  constructor(container, details) {
    this.#container = container;
    this.#details = details;
    this.#observer = new IntersectionObserver((entries) => this.#update(entries), { rootMargin: NEAR });
    const wordOf = (event) => event.target.closest?.(".word");
    container.addEventListener("pointerover", (event) => this.#point(wordOf(event)));
    container.addEventListener("pointerleave", () => details.leave());
    container.addEventListener("focusin", (event) => this.#enter(wordOf(event)));
    container.addEventListener("focusout", () => details.hide());
    container.addEventListener("keydown", (event) => this.#press(event, wordOf(event)));
  }

  /**
   * Begin a new text.
   *
   * @param {{layer: string, spans: string, labels: string[], language: string}} look The layer under the words, that of
   *   the highlighted spans with its labels, and the language of the text.
   */
  begin({ language, ...look }) {
    this.#observer.disconnect();
    this.#details.hide();
    this.#container.replaceChildren();
    this.#container.lang = language;
    this.#look = { ...look, widths: new Widths(this.#container) };
    this.#blocks = [];
    this.#current = null;
  }

  /** Go on with a further tagged piece of the text. */
  append(document_) {
    const { text } = document_;
    const units = toUnits(document_, this.#look.spans);
    const elements = [];
    let first = 0;
    let start = 0;
    units.forEach((unit, index) => {
      const next = units[index + 1];
      if (next && !endsBlock(text, unit, next, start)) return;
      const end = next ? next.start : text.length;
      elements.push(this.#makeBlock(text, units.slice(first, index + 1), start, end));
      first = index + 1;
      start = end;
    });
    if (units.length === 0) elements.push(this.#makeBlock(text, [], 0, text.length));
    this.#container.append(...elements);
    elements.forEach((element) => this.#observer.observe(element));
  }

  #makeBlock(text, units, start, end) {
    const element = document.createElement("div");
    element.className = "block";
    element.textContent = text.slice(start, end);
    const block = { element, text, units, start, end, words: null, index: this.#blocks.length };
    this.#blocks.push(block);
    if (this.#current === null && units.length) this.#current = { block, index: 0 };
    return element;
  }

  #update(entries) {
    const blocks = new Map(this.#blocks.map((block) => [block.element, block]));
    for (const { target, isIntersecting } of entries) {
      const block = blocks.get(target);
      if (block && isIntersecting) this.#open(block);
      else if (block && block !== this.#current?.block) this.#close(block);
    }
  }

  #open(block) {
    if (block.words) return;
    const { fragment, words } = renderWords(block.text, block.units, block.start, block.end, this.#look);
    words.forEach((word, index) => this.#places.set(word, { block, index }));
    block.words = words;
    block.element.replaceChildren(fragment);
    if (this.#current?.block === block) words[this.#current.index].tabIndex = 0;
  }

  #close(block) {
    if (!block.words) return;
    block.words = null;
    block.element.textContent = block.text.slice(block.start, block.end);
  }

  #unitOf(word) {
    const { block, index } = this.#places.get(word);
    return { ...block.units[index], text: word.textContent };
  }

  #point(word) {
    if (word) this.#details.show(word, this.#unitOf(word));
    else this.#details.leave();
  }

  #enter(word) {
    if (!word) return;
    const { block, index } = this.#current;
    if (block.words) block.words[index].tabIndex = -1;
    word.tabIndex = 0;
    this.#current = this.#places.get(word);
    this.#details.show(word, this.#unitOf(word));
  }

  #press(event, word) {
    if (!word || event.ctrlKey || event.altKey || event.metaKey) return;
    const forward = RIGHT_TO_LEFT.test(word.textContent) ? "ArrowLeft" : "ArrowRight";
    const { key } = event;
    if (key === "Escape") this.#details.hide();
    else if (key === "Enter" || key === " ") this.#details.show(word, this.#unitOf(word));
    else if (key === "ArrowLeft" || key === "ArrowRight") this.#focus(this.#next(key === forward ? 1 : -1));
    else if (key === "ArrowDown") this.#focus(this.#nextSentence(1));
    else if (key === "ArrowUp") this.#focus(this.#nextSentence(-1));
    else if (key === "Home") this.#focus({ block: this.#blocks.find(hasUnits), index: 0 });
    else if (key === "End") this.#focus(lastOf(this.#blocks.findLast(hasUnits)));
    else return;
    event.preventDefault();
  }

  #focus(place) {
    if (!place) return;
    this.#open(place.block);
    place.block.words[place.index].focus();
  }

  /** The place beside one, in reading order; undefined beyond the ends. */
  #next(step, { block, index } = this.#current) {
    if (block.units[index + step]) return { block, index: index + step };
    const rest = step > 0 ? this.#blocks.slice(block.index + 1) : this.#blocks.slice(0, block.index).reverse();
    const found = rest.find(hasUnits);
    return found && (step > 0 ? { block: found, index: 0 } : lastOf(found));
  }

  /** The first word of the next sentence, or of this one or the one before. */
  #nextSentence(step) {
    let place = this.#current;
    for (let beside = this.#next(step); beside; beside = this.#next(step, beside)) {
      place = beside;
      const before = this.#next(-1, place);
      if (!before || isSeam(before, place)) return place;
    }
    return place;
  }
}

function hasUnits({ units }) {
  return units.length > 0;
}

function lastOf(block) {
  return { block, index: block.units.length - 1 };
}

function isSeam(before, after) {
  const sameText = before.block.text === after.block.text;
  return !sameText || before.block.units[before.index].sentence !== after.block.units[after.index].sentence;
}

/** Whether a block that begins at `start` ends between two units. */
function endsBlock(text, unit, next, start) {
  const length = next.start - start;
  if (length > 2 * LONG_BLOCK) return true;
  if (unit.sentence === next.sentence) return false;
  return length > LONG_BLOCK || (length > BLOCK && text.slice(unit.end, next.start).includes("\n"));
}
