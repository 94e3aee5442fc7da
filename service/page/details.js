/** What is known of one word: a tooltip beside it, or at the foot of a narrow window. */

import { ENTITIES, LAYERS, PARTS_OF_SPEECH } from "./glosses.js";

const OWN_KEYS = new Set(["text", "start", "end", "feats"]);
const SHOWN_CHARACTERS = 60;
const MARGIN = 8;
/** For the pointer's way from the word to the tooltip, which it may enter. */
const LEAVE_MS = 200;

export class Details {
  #element;
  #word = null;
  #timer;

  /** @param {HTMLElement} element The tooltip. */
  constructor(element) {
    this.#element = element;
    element.addEventListener("pointerenter", () => clearTimeout(this.#timer));
    element.addEventListener("pointerleave", () => this.leave());
    document.addEventListener("keydown", ({ key }) => key === "Escape" && this.hide());
    addEventListener("scroll", () => this.#place(), { passive: true });
  }

  /** Show what is known of a word, given its unit with its text. */
  show(word, { text, tokens, span }) {
    clearTimeout(this.#timer);
    if (this.#word === word) return;
    this.hide();
    this.#word = word;
    this.#element.replaceChildren(...tokens.map(describeToken), ...(span ? [describeSpan(span)] : []));
    this.#element.prepend(make("strong", shorten(text)));
    this.#element.hidden = false;
    word.setAttribute("aria-describedby", this.#element.id);
    this.#place();
  }

  /** The pointer has left the word: hide soon, unless it comes back. */
  leave() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.hide(), LEAVE_MS);
  }

  hide() {
    clearTimeout(this.#timer);
    this.#word?.removeAttribute("aria-describedby");
    this.#word = null;
    this.#element.hidden = true;
  }

  #place() {
    if (!this.#word) return;
    const word = this.#word.getClientRects()[0] ?? this.#word.getBoundingClientRect();
    const own = this.#element.getBoundingClientRect();
    const tag = parseFloat(getComputedStyle(this.#word).fontSize);
    const below = word.bottom + tag;
    const isRoom = below + own.height + MARGIN < innerHeight;
    const x = Math.max(MARGIN, Math.min(word.left, document.documentElement.clientWidth - own.width - MARGIN));
    const y = isRoom ? below : word.top - own.height - MARGIN;
    this.#element.style.setProperty("--x", `${x}px`);
    this.#element.style.setProperty("--y", `${y}px`);
  }
}

function describeToken(token) {
  const list = make("dl");
  const layers = Object.entries(token).filter(([layer, value]) => !OWN_KEYS.has(layer) && value);
  for (const [layer, value] of layers) add(list, LAYERS[layer] ?? layer, value, layer === "upos" ? PARTS_OF_SPEECH[value] : "");
  for (const [name, value] of Object.entries(token.feats ?? {})) add(list, name, value);
  return list;
}

function describeSpan({ label, text, score }) {
  const list = make("dl");
  const certainty = score === undefined ? "" : `${(100 * score).toFixed(1)} % sure`;
  add(list, "Entity", `${label} · ${shorten(text)}`, [ENTITIES[label], certainty].filter(Boolean).join(", "));
  return list;
}

function add(list, name, value, gloss = "") {
  const row = make("div");
  const definition = make("dd", value);
  if (gloss) definition.append(" ", make("small", gloss));
  row.append(make("dt", name), definition);
  list.append(row);
}

function make(name, text = "") {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}

function shorten(text) {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
