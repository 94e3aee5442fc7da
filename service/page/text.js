/** The panel where one text is typed or dropped, tagged, read and copied. */

import { counted } from "./amounts.js";
import { copy } from "./clipboard.js";
import { Details } from "./details.js";
import { acceptFiles } from "./drop.js";
import { EXAMPLES } from "./examples.js";
import { readText } from "./files.js";
import { ENTITIES, hueOf, LAYERS } from "./glosses.js";
import { Reading } from "./reading.js";
import { CONLLU_FORM, JSON_FORM, Problem, write } from "./service.js";
import { Source } from "./source.js";
import { seenPanel, TEXT } from "./tabs.js";
import { tagPieces } from "./tagging.js";

const SAID_MS = 2_000;

const element = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");

export class TextPanel {
  #problemLine;
  #source;
  #reading = new Reading(element("reading"), new Details(element("details")));
  #models = [];
  #running = null; // the AbortController of what is being tagged
  #answer = null; // what is shown: {text, model, documents, timing, written}

  /** @param {import("./problem.js").ProblemLine} problemLine Where failures are told. */
  constructor(problemLine) {
    this.#problemLine = problemLine;
    const kept = { notice: element("kept"), name: element("kept-name"), remove: element("remove") };
    this.#source = new Source(element("text"), kept, () => this.#tag());
    element("text-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#tag();
    });
    element("text").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) element("text-form").requestSubmit();
    });
    element("stop").addEventListener("click", () => this.#running?.abort());
    element("model").addEventListener("change", () => this.#changeModel());
    element("layer").addEventListener("change", () => this.#show());
    element("spans").addEventListener("change", () => this.#show());
    element("copy-json").addEventListener("click", (event) => this.#copy(event.currentTarget, JSON_FORM));
    element("copy-conllu").addEventListener("click", (event) => this.#copy(event.currentTarget, CONLLU_FORM));
    acceptFiles(TEXT, element("file"), (files) => this.#read(files));
  }

  /** Begin with the models that are served. */
  open(models) {
    this.#models = models;
    const options = models.map(({ name, language, description, segments, default: isDefault }) => {
      const option = new Option(`${name} (${language})`, name, isDefault, isDefault);
      option.title = description;
      option.disabled = !segments; // it takes words, not texts
      return option;
    });
    element("model").replaceChildren(...options);
    element("model").disabled = element("tag").disabled = false;
    this.#offerLayers();
    if (!this.#source.text) this.#source.set(EXAMPLES[this.#model.language] ?? "");
    this.enter();
  }

  /** The panel is seen now, or was already: tag what there is, unless that is done. */
  enter() {
    const isIdle = this.#models.length && !this.#answer && !this.#running;
    if (seenPanel() === TEXT && isIdle && this.#source.text) this.#tag();
  }

  async #read([file, ...others]) {
    try {
      this.#source.set(await readText(file), file.name);
      this.#tag();
      if (others.length) throw new Problem(`Only ${file.name} is tagged: several files at once go to Files.`);
    } catch (problem) {
      this.#problemLine.show(problem);
    }
  }

  get #model() {
    return this.#models.find(({ name }) => name === element("model").value);
  }

  #changeModel() {
    this.#offerLayers();
    const { text } = this.#source;
    if (!text || Object.values(EXAMPLES).includes(text)) this.#source.set(EXAMPLES[this.#model.language] ?? text);
    this.#tag();
  }

  #offerLayers() {
    const tasks = Object.entries(this.#model.tasks);
    const tags = tasks.filter(([name, { kind }]) => kind !== "span" && name !== "feats").map(([name]) => name);
    offer(element("layer"), [...tags, ""]);
    const spans = tasks.filter(([, { kind }]) => kind === "span").map(([name]) => name);
    offer(element("spans"), [...spans, ""]);
    element("spans").parentElement.hidden = spans.length < 2;
  }

  async #tag() {
    if (!this.#models.length) return; // open() tags what there is
    this.#running?.abort();
    const { text } = this.#source;
    const running = new AbortController();
    this.#running = running;
    this.#problemLine.clear();
    this.#setBusy(true, text.length);
    const answer = { text, model: this.#model, documents: [], timing: new Map(), written: new Map() };
    try {
      for await (const { document: tagged, timing } of tagPieces(text, this.#model.name, running.signal)) {
        if (this.#running !== running) return;
        this.#take(answer, tagged, timing);
      }
    } catch (problem) {
      if (this.#running === running && problem.name !== "AbortError") {
        this.#problemLine.show(problem, { retry: () => this.#tag() });
      }
    } finally {
      if (this.#running === running) this.#finish(answer);
    }
  }

  /** Take one more piece; with the first one the last answer goes, not before. */
  #take(answer, tagged, timing) {
    answer.documents.push(tagged);
    for (const [phase, ms] of timing) answer.timing.set(phase, (answer.timing.get(phase) ?? 0) + ms);
    if (this.#answer === answer) {
      this.#reading.append(tagged);
    } else {
      this.#answer = answer;
      element("summary").textContent = element("timing").textContent = "";
      this.#show();
    }
    element("progress").value += tagged.text.length;
  }

  #finish({ documents, timing, text }) {
    this.#running = null;
    this.#setBusy(false);
    if (documents.length) this.#summarize(documents, timing, text);
  }

  #setBusy(isBusy, length = 1) {
    element("answer").setAttribute("aria-busy", isBusy);
    element("progress").max = length;
    element("progress").value = 0;
    element("progress").hidden = element("stop").hidden = !isBusy;
  }

  /** Show what is tagged so far, as it is chosen now. */
  #show() {
    const { documents, model } = this.#answer;
    const spans = element("spans").value;
    const labels = model.tasks[spans]?.labels ?? [];
    element("answer").hidden = false;
    this.#reading.begin({ layer: element("layer").value, spans, labels, language: model.language });
    documents.forEach((tagged) => this.#reading.append(tagged));
    this.#showLegend(spans, labels);
  }

  #showLegend(layer, labels) {
    const items = labels.map((label) => {
      const item = document.createElement("li");
      item.textContent = ENTITIES[label] ? `${label} ${ENTITIES[label]}` : label;
      item.style.setProperty("--hue", hueOf(label, labels));
      return item;
    });
    element("legend").replaceChildren(...items);
  }

  #summarize(documents, timing, text) {
    const sentences = documents.flatMap((tagged) => tagged.sentences);
    const words = sentences.reduce((sum, { tokens }) => sum + tokens.length, 0);
    const spans = documents.reduce((sum, tagged) => sum + (tagged.spans[element("spans").value] ?? []).length, 0);
    const isWhole = documents.reduce((sum, tagged) => sum + tagged.text.length, 0) === text.length;
    const counts = [counted(sentences.length, "sentence", "sentences"), counted(words, "word", "words"), counted(spans, "entity", "entities")];
    element("summary").textContent = `${counts.join(", ")}${isWhole ? "" : " so far"}.`;
    const total = [...timing.values()].reduce((sum, ms) => sum + ms, 0);
    const phases = Array.from(timing, ([phase, ms]) => `${phase} ${milliseconds(ms)}`).join(", ");
    element("timing").textContent = `${milliseconds(total)} in the service: ${phases}.`;
  }

  async #copy(button, form) {
    const { text, model, written } = this.#answer;
    if (!written.has(form)) {
      const asked = write(text, model.name, form);
      asked.catch(() => written.delete(form)); // the next click asks again
      written.set(form, asked);
    }
    try {
      await copy(written.get(form));
      this.#problemLine.clear();
      say(button);
    } catch (problem) {
      this.#problemLine.show(problem, { retry: () => this.#copy(button, form) });
    }
  }
}

/** Fill a choice of layers, keeping what was chosen if it is still there. */
function offer(select, layers) {
  const chosen = select.value;
  select.replaceChildren(...layers.map((layer) => new Option(layer ? (LAYERS[layer] ?? layer) : "Nothing", layer)));
  if (layers.includes(chosen) && select.dataset.isOffered) select.value = chosen;
  select.dataset.isOffered = "yes";
}

function milliseconds(ms) {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${number.format(Math.round(ms))} ms`;
}

/** Tell for a moment, beside the button and aloud, that it is copied. */
function say(button) {
  button.dataset.said = "Copied";
  element("said").textContent = `${button.textContent}: done`;
  setTimeout(() => {
    delete button.dataset.said;
    element("said").textContent = "";
  }, SAID_MS);
}
