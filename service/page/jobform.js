/** How a file is to be read and tagged: the model, and what is behind "Options". */

import { INPUTS, LAYERS } from "./glosses.js";

const element = (id) => document.getElementById(id);

export class JobForm {
  #models = [];

  constructor() {
    element("files").addEventListener("submit", (event) => event.preventDefault()); // Enter in a field sends nothing
    element("job-model").addEventListener("change", () => this.#offerLayers());
    element("job-format").replaceChildren(...Object.entries(INPUTS).map(([name, gloss]) => new Option(gloss, name)));
  }

  /** Begin with the models that are served. */
  open(models) {
    this.#models = models;
    const options = models.map(({ name, language, description, default: isDefault }) => {
      const option = new Option(`${name} (${language})`, name, isDefault, isDefault);
      option.title = description;
      return option;
    });
    element("job-model").replaceChildren(...options);
    element("job-model").disabled = element("job-file").disabled = false;
    this.#offerLayers();
  }

  /** Choose a model, as the other panel did. */
  choose(model) {
    element("job-model").value = model;
    this.#offerLayers();
  }

  /** The query that says it; what is as usual is not in it. */
  get query() {
    const query = new URLSearchParams({ model: element("job-model").value });
    const format = element("job-format").value;
    if (format !== "auto") query.set("format", format);
    for (const [id, name] of [["text-field", "text_field"], ["id-field", "id_field"]]) {
      const { value, defaultValue } = element(id);
      if (value && value !== defaultValue) query.set(name, value); // a column may begin with a space
    }
    const boxes = [...element("job-layers").querySelectorAll("input")];
    const chosen = boxes.filter(({ checked }) => checked);
    if (chosen.length < boxes.length) query.set("tasks", chosen.map(({ value }) => value).join());
    return query;
  }

  #offerLayers() {
    const { tasks } = this.#models.find(({ name }) => name === element("job-model").value);
    const choices = Object.keys(tasks).map((task) => {
      const box = document.createElement("input");
      box.type = "checkbox";
      box.value = task;
      box.checked = true;
      const label = document.createElement("label");
      label.append(box, LAYERS[task] ?? task);
      return label;
    });
    element("job-layers").replaceChildren(...choices);
  }
}
