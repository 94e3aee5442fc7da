/**
 * What runs when the page opens: it asks which models there are, and opens the panels with them.
 *
 * A further panel is a section of index.html and a module like text.js; tabs.js decides which one is seen.
 */

import { saveFile } from "./download.js";
import { askForKey, hasKey, isKeyWanted } from "./key.js";
import { JobsPanel } from "./jobs.js";
import { ProblemLine } from "./problem.js";
import { listModels, UNAUTHORIZED } from "./service.js";
import { onPanelChange } from "./tabs.js";
import { TextPanel } from "./text.js";

const OPEN_AGAIN_MS = 1000;

const problemLine = new ProblemLine(document.getElementById("problem"), askForKey);
const panels = [new TextPanel(problemLine), new JobsPanel(problemLine)];

async function open() {
  try {
    const models = await listModels();
    problemLine.clear();
    panels.forEach((panel) => panel.open(models));
  } catch (problem) {
    problemLine.show(problem, { retry: open });
    if (problem.status !== UNAUTHORIZED) setTimeout(open, Math.max(OPEN_AGAIN_MS, problem.retryAfterS * 1000));
  }
}

async function openSchema(event) {
  if (isKeyWanted()) {
    event.preventDefault();
    document.getElementById("key").focus();
  } else if (hasKey()) {
    event.preventDefault(); // a link cannot send the key
    try {
      await saveFile("schema", "openapi.json");
      problemLine.clear();
    } catch (problem) {
      problemLine.show(problem);
    }
  }
}

document.getElementById("schema").addEventListener("click", openSchema);
onPanelChange(() => {
  if (!isKeyWanted()) problemLine.clear(); // what was wrong in the panel that one left
  panels.forEach((panel) => panel.enter());
});
open();
