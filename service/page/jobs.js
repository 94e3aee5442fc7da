/** The panel where files are sent, and the jobs on them are watched and their results fetched. */

import { counted, megabytes } from "./amounts.js";
import { canStream, saveFile } from "./download.js";
import { acceptFiles } from "./drop.js";
import { STATES } from "./glosses.js";
import { JobForm } from "./jobform.js";
import { JobList } from "./joblist.js";
import { isLive } from "./jobview.js";
import { hasKey } from "./key.js";
import { Polling } from "./polling.js";
import { cancelJob, deleteJob, listJobs, NOT_FOUND, UNAUTHORIZED } from "./service.js";
import { FILES, seenPanel } from "./tabs.js";
import { isAboutFile, sendFile } from "./upload.js";

const AT_ONCE = 25;
const MOST = 200;
const TROUBLE_MS = 4_000;

const element = (id) => document.getElementById(id);

export class JobsPanel {
  #problemLine;
  #form = new JobForm();
  #list;
  #polling = new Polling(() => this.#refresh(), () => this.#isOpen && seenPanel() === FILES);
  #isOpen = false;
  #trouble = null; // why the jobs could not be asked for, if it is told
  #models = [];
  #states = new Map();
  #shown = AT_ONCE;
  #early = []; // files that came before it was known how they can be tagged
  #waiting = []; // files that are still to be sent, each with how
  #sending = null; // the AbortController of the one that is being sent

  /** @param {import("./problem.js").ProblemLine} problemLine Where failures are told. */
  constructor(problemLine) {
    this.#problemLine = problemLine;
    this.#list = new JobList(element("job-list"), {
      cancel: ({ id }) => this.#change(() => cancelJob(id)),
      remove: ({ id }) => this.#change(() => deleteJob(id)),
      save: (link, event) => this.#save(link, event),
    });
    acceptFiles(FILES, element("job-file"), (files) => this.#take(files));
    element("model").addEventListener("change", () => this.#form.choose(element("model").value));
    element("sending-stop").addEventListener("click", () => this.#sending.abort());
    element("older-jobs").addEventListener("click", () => {
      this.#shown = Math.min(MOST, this.#shown + AT_ONCE);
      this.#polling.now();
    });
    addEventListener("beforeunload", (event) => {
      if (this.#sending) event.preventDefault(); // the browser asks: what is sent would be lost
    });
  }

  /** Begin with the models that are served. */
  open(models) {
    this.#models = models;
    this.#form.open(models);
    this.#isOpen = true;
    this.enter();
    if (this.#early.length) this.#take(this.#early.splice(0));
  }

  /** The panel is seen now, or was already. */
  enter() {
    this.#polling.now();
  }

  /** Ask for the jobs once; how long to wait before the next time, null for ever. */
  async #refresh() {
    let jobs;
    try {
      jobs = await listJobs(this.#shown + 1);
    } catch (problem) {
      return this.#suffer(problem);
    }
    if (this.#trouble) this.#problemLine.clear(this.#trouble);
    this.#trouble = null;
    this.#show(jobs);
    return jobs.some(isLive) ? 0 : null;
  }

  #suffer(problem) {
    if (problem.status === NOT_FOUND) {
      element("files").hidden = true;
      element("jobs-off").hidden = false;
      return null;
    }
    const isKeyWanted = problem.status === UNAUTHORIZED;
    if (isKeyWanted || !this.#problemLine.isFilled) { // what went wrong with a file must not be missed
      this.#problemLine.show(problem, { retry: () => this.#polling.now() });
      this.#trouble = problem;
    }
    return isKeyWanted ? null : Math.max(TROUBLE_MS, problem.retryAfterS * 1000);
  }

  #show(jobs) {
    const shown = jobs.slice(0, this.#shown);
    this.#list.update(shown, (job) => this.#hasSpans(job));
    for (const job of shown) this.#announce(job);
    element("jobs").hidden = false;
    element("no-jobs").hidden = shown.length > 0;
    element("job-limits").hidden = !shown.length || !hasKey() || canStream();
    element("older-jobs").hidden = jobs.length <= shown.length || this.#shown >= MOST;
  }

  /** Say aloud what became of a job that was seen at work. */
  #announce({ id, name, state }) {
    const before = this.#states.get(id);
    if (before && before !== state) element("said").textContent = `${name}: ${STATES[state]}`;
    this.#states.set(id, state);
  }

  #hasSpans({ model, tasks }) {
    const layers = this.#models.find(({ name, aliases }) => name === model || aliases.includes(model))?.tasks ?? {};
    return Object.entries(layers).some(([name, { kind }]) => kind === "span" && (tasks === null || tasks.includes(name)));
  }

  async #take(files) {
    if (!this.#isOpen) {
      this.#early.push(...files);
      return;
    }
    if (element("files").hidden) return;
    this.#waiting.push(...files.map((file) => ({ file, query: this.#form.query })));
    if (!this.#sending) await this.#send();
  }

  async #send() {
    this.#problemLine.clear();
    this.#sending = new AbortController();
    element("files").dataset.sending = "";
    const told = []; // a line for each file that was not taken
    let sent;
    while ((sent = this.#waiting.shift())) {
      const { file, query } = sent;
      try {
        this.#tell(file, 0);
        await sendFile(file, query, { tell: (bytes) => this.#tell(file, bytes), signal: this.#sending.signal });
        this.#polling.now();
      } catch (problem) {
        const left = isAboutFile(problem) ? [] : this.#waiting.splice(0).map((other) => other.file);
        if (problem.name === "AbortError") break;
        const more = left.length ? ` and ${counted(left.length, "more file", "more files")}` : "";
        const about = [...told, `${file.name}${more}`].join("\n");
        this.#problemLine.show(problem, { about, retry: () => this.#take([file, ...left]) });
        told.push(`${file.name}: ${problem.message}`);
      }
    }
    this.#sending = null;
    if (document.activeElement === element("sending-stop")) element("job-file").focus();
    delete element("files").dataset.sending;
  }

  #tell({ name, size }, sent) {
    const more = this.#waiting.length ? `; ${this.#waiting.length} more to come` : "";
    const isSent = sent >= size;
    const told = isSent ? `${name}: sent, and looked into` : `Sending ${name}: ${megabytes(sent)} of ${megabytes(size)}`;
    element("sending-name").textContent = `${told}${more}`;
    element("sending-progress").value = size ? sent / size : 1;
  }

  async #change(act) {
    try {
      await act();
      this.#problemLine.clear();
    } catch (problem) {
      this.#problemLine.show(problem, { retry: () => this.#change(act) });
    }
    this.#polling.now();
  }

  /** A link does it by itself, unless there is a key to send. */
  async #save(link, event) {
    if (!hasKey()) {
      this.#polling.now(); // a job that is gone leaves the list: the browser tells only that there is no file
      return;
    }
    event.preventDefault();
    if (link.ariaBusy === "true") return;
    link.ariaBusy = "true";
    try {
      if (await saveFile(link.getAttribute("href"), link.download)) {
        this.#problemLine.clear();
        element("said").textContent = `${link.download}: saved`;
      }
    } catch (problem) {
      this.#problemLine.show(problem, { retry: () => link.click() });
    } finally {
      link.ariaBusy = null;
    }
  }
}
