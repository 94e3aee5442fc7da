/**
 * What runs when the page opens: it asks which models there are, and opens the panel with them.
 *
 * A further panel is a section of index.html and a module like text.js; which one is seen is decided here.
 */

import { askForKey } from "./key.js";
import { ProblemLine } from "./problem.js";
import { listModels } from "./service.js";
import { TextPanel } from "./text.js";

const LOADING_POLL_MS = 1000;

const problemLine = new ProblemLine(document.getElementById("problem"), askForKey);
const panel = new TextPanel(problemLine);

async function open() {
  try {
    panel.open(await listModels());
    problemLine.clear();
  } catch (problem) {
    problemLine.show(problem, { retry: open });
    if (problem.status === 503) setTimeout(open, LOADING_POLL_MS);
  }
}

open();
