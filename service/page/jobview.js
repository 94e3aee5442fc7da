/** One job of the list: how far it is, what can be done with it, and its results. */

import { counted, duration } from "./amounts.js";
import { RESULTS, STATES } from "./glosses.js";

const LIVE = ["queued", "running"];

const moment = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const percent = new Intl.NumberFormat("en", { style: "percent" });

/** Whether a job is not over. */
export function isLive(job) {
  return LIVE.includes(job.state);
}

export class JobView {
  element = make("li", { className: "job" });
  #job;
  #name = make("h3", { dir: "auto" });
  #state = make("span", { className: "state" });
  #cancel = button("Cancel");
  #delete = button("Delete");
  #yes = button("Delete", "dangerous");
  #no = button("Keep");
  #asking = make("span", { className: "row asking", hidden: true }, "Delete for good?", this.#yes, this.#no);
  #progress = make("progress", { max: 1 });
  #facts = make("span");
  #failures = make("a", { download: "", title: "A line for each record that gave nothing: where it stands, and why" });
  #when = make("span");
  #error = make("p", { className: "wrong", hidden: true });
  #slot = make("div", { className: "slot" });
  #results = make("div", { className: "row results", role: "group" });

  /**
   * @param {{cancel: (job: object) => Promise<void>, remove: (job: object) => Promise<void>,
   *   save: (link: HTMLAnchorElement, event: Event) => void}} act What buttons and links do.
   */
  constructor({ cancel, remove, save }) {
    const head = make("div", { className: "row" }, this.#name, this.#state, this.#cancel, this.#delete, this.#asking);
    this.#slot.append(this.#progress, this.#results);
    const note = make("p", { className: "note" }, this.#facts, this.#failures, this.#when);
    this.element.append(head, this.#slot, note, this.#error);
    this.#cancel.addEventListener("click", () => cancel(this.#job));
    this.#delete.addEventListener("click", () => this.#ask(true));
    this.#no.addEventListener("click", () => this.#ask(false));
    this.#asking.addEventListener("keydown", ({ key }) => key === "Escape" && this.#ask(false));
    this.#yes.addEventListener("click", () => remove(this.#job));
    this.element.addEventListener("click", (event) => {
      const link = event.target.closest("a");
      if (link) save(link, event);
    });
  }

  /** Where the focus may go. */
  focus() {
    this.#delete.focus();
  }

  /**
   * Tell of the job as it is now.
   *
   * @param {object} job As the service tells of it.
   * @param {boolean} hasSpans Whether there are spans in its results.
   */
  update(job, hasSpans) {
    const isFirst = !this.#job;
    this.#job = job;
    if (isFirst) this.#begin(job, hasSpans);
    const live = isLive(job);
    set(this.#state, STATES[job.state] + (job.state === "running" && job.progress ? `, ${percent.format(job.progress)}` : ""));
    this.element.dataset.state = job.state;
    if (job.progress === null && job.state === "running") this.#progress.removeAttribute("value");
    else this.#progress.value = job.progress ?? 0;
    this.#progress.hidden = !live;
    this.#results.hidden = live;
    this.#slot.hidden = !live && !job.documents;
    if (!live && document.activeElement === this.#cancel) this.#delete.focus();
    this.#cancel.hidden = !live || !this.#asking.hidden;
    set(this.#facts, facts(job));
    this.#failures.hidden = !job.failures;
    set(this.#failures, job.failures ? counted(job.failures, "failure", "failures") : "");
    set(this.#when, when(job));
    this.#error.hidden = !job.error;
    set(this.#error, job.error ?? "");
  }

  /** What never changes. */
  #begin({ id, name }, hasSpans) {
    this.#name.textContent = name;
    for (const [control, does] of [[this.#cancel, "Cancel"], [this.#delete, "Delete"], [this.#yes, "Delete with its results"], [this.#no, "Keep"]]) {
      control.setAttribute("aria-label", `${does}: ${name}`);
    }
    this.#progress.setAttribute("aria-label", `How much of ${name} is tagged`);
    this.#results.setAttribute("aria-label", `Results of ${name}`);
    const stem = name.replace(/\.(gz|zst)$/i, "").replace(/(?<=.)\.[^.]*$/, "");
    const forms = Object.entries(RESULTS).filter(([form]) => hasSpans || form !== "iob2");
    const links = forms.map(([form, [label, gloss]]) => {
      const href = `v1/jobs/${id}/results?format=${form}`;
      return make("a", { href, download: `${stem}.tagged.${form}`, title: gloss, className: "button" }, label);
    });
    this.#results.append("Download", ...links);
    this.#failures.href = `v1/jobs/${id}/failures`;
    this.#failures.download = `${stem}.errors.jsonl`;
  }

  #ask(isAsked) {
    this.#asking.hidden = !isAsked;
    this.#delete.hidden = isAsked;
    this.#cancel.hidden = isAsked || !isLive(this.#job);
    (isAsked ? this.#no : this.#delete).focus();
  }
}

function facts({ state, documents, words, words_per_s: speed, seconds_left: left }) {
  if (isLive({ state }) && !documents) return "";
  const told = [counted(documents, "document", "documents"), counted(words, "word", "words")];
  if (speed !== null) told.push(`${counted(Math.round(speed), "word", "words")}/s`);
  if (left !== null) told.push(`${duration(left)} left`);
  return told.join(", ");
}

function when({ model, tasks, created, expires }) {
  const layers = tasks === null ? "" : ` (${tasks.join(", ") || "words alone"})`;
  const kept = expires === null ? "" : `; kept until ${moment.format(new Date(expires))}`;
  return `${model}${layers}, ${moment.format(new Date(created))}${kept}`;
}

/** Text changes only where it differs, so that a selection in it stays. */
function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function button(label, className = "") {
  return make("button", { type: "button", className }, label);
}

function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}
