/** The list of jobs, kept in step: what is there already stays the same element, with its focus. */

import { JobView } from "./jobview.js";

export class JobList {
  #list;
  #act;
  #views = new Map();

  /**
   * @param {HTMLElement} list Where the jobs are shown.
   * @param {object} act What their buttons do; see JobView.
   */
  constructor(list, act) {
    this.#list = list;
    this.#act = act;
  }

  /**
   * @param {object[]} jobs The newest first.
   * @param {(job: object) => boolean} hasSpans Whether there are spans in the results of one.
   */
  update(jobs, hasSpans) {
    const ids = new Set(jobs.map(({ id }) => id));
    for (const [id, view] of this.#views) if (!ids.has(id)) this.#remove(id, view);
    jobs.forEach((job, index) => {
      if (!this.#views.has(job.id)) this.#views.set(job.id, new JobView(this.#act));
      const view = this.#views.get(job.id);
      view.update(job, hasSpans(job));
      const place = this.#list.children[index] ?? null;
      if (place !== view.element) this.#list.insertBefore(view.element, place);
    });
  }

  #remove(id, { element }) {
    const isFocused = element.contains(document.activeElement);
    const neighbor = element.nextElementSibling ?? element.previousElementSibling;
    element.remove();
    this.#views.delete(id);
    if (!isFocused) return;
    const next = [...this.#views.values()].find((view) => view.element === neighbor);
    if (next) next.focus();
    else document.getElementById("jobs-title").focus();
  }
}
