/** The service: requests and answers, and every failure as a Problem with a message for people. */

import { keyHeaders } from "./key.js";

export const JSON_FORM = "application/json";
export const CONLLU_FORM = "text/x-conllu";

/** What the service refused, or why it could not be asked. */
export class Problem extends Error {
  /**
   * @param {string} message One line.
   * @param {{status?: number, retryAfterS?: number}} facts The HTTP status, and when to come back.
   */
  constructor(message, { status = 0, retryAfterS = 0 } = {}) {
    super(message);
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

/** The models that are served, as `GET v1/models` describes them. */
export async function listModels() {
  const response = await request("v1/models");
  return (await response.json()).models;
}

/**
 * Tag one text.
 *
 * @param {string} text
 * @param {string} model Its name.
 * @param {AbortSignal} signal Gives up.
 * @returns {Promise<{document: object, timing: Map<string, number>}>} The document, its offsets in UTF-16 units as
 *   strings count here, and the milliseconds of each phase.
 */
export async function tag(text, model, signal) {
  const response = await post({ text, model, offsets: "utf16" }, JSON_FORM, signal);
  const { documents } = await response.json();
  return { document: documents[0], timing: readTiming(response.headers.get("Server-Timing")) };
}

/** The answer to one text as the service writes it, by default with offsets in code points. */
export async function write(text, model, form) {
  return (await post({ text, model }, form)).text();
}

/** `segment;dur=1.5, queue;dur=0.3` -> the milliseconds of each phase. */
export function readTiming(header) {
  const phases = (header ?? "").matchAll(/([\w-]+);dur=([\d.]+)/g);
  return new Map(Array.from(phases, ([, phase, milliseconds]) => [phase, Number(milliseconds)]));
}

function post(body, form, signal) {
  return request("v1/tag", {
    method: "POST",
    headers: { "Content-Type": JSON_FORM, Accept: form },
    body: JSON.stringify(body),
    signal,
  });
}

async function request(path, { headers = {}, ...options } = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { ...headers, ...keyHeaders() }, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The service cannot be reached.");
  }
  if (!response.ok) throw await readProblem(response);
  return response;
}

async function readProblem(response) {
  const facts = { status: response.status, retryAfterS: Number(response.headers.get("Retry-After") ?? 0) };
  try {
    const { title, detail } = await response.json();
    return new Problem(`${title}: ${detail}.`, facts);
  } catch {
    return new Problem(`The service answered ${response.status}.`, facts); // it was somebody between us and it
  }
}
