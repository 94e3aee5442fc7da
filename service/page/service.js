/** The service: requests and answers, and every failure as a Problem with a message for people. */

import { keyHeaders } from "./key.js";

export const JSON_FORM = "application/json";
export const CONLLU_FORM = "text/x-conllu";
export const UNAUTHORIZED = 401;
export const NOT_FOUND = 404;
export const UNREACHABLE = "The service cannot be reached.";
/** A page where one logs in, mostly, that somebody between us put in the place of an answer. */
export const STRANGE = "It was not the service that answered: open this page again.";

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
  return (await readJson(await request("v1/models"))).models;
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
  const { documents } = await readJson(response);
  return { document: documents[0], timing: readTiming(response.headers.get("Server-Timing")) };
}

/** The answer to one text as the service writes it, by default with offsets in code points. */
export async function write(text, model, form) {
  return (await post({ text, model }, form)).text();
}

/**
 * The newest jobs, the newest first, as `GET v1/jobs` tells of them.
 *
 * @param {number} limit At most so many.
 */
export async function listJobs(limit) {
  return (await readJson(await request(`v1/jobs?limit=${limit}`))).jobs;
}

/** End a job and keep what is done. */
export async function cancelJob(id) {
  await request(`v1/jobs/${id}/cancel`, { method: "POST" });
}

/** Remove a job with all that there is of it; if it is gone already, that is what was wanted. */
export async function deleteJob(id) {
  try {
    await request(`v1/jobs/${id}`, { method: "DELETE" });
  } catch (problem) {
    if (problem.status !== NOT_FOUND) throw problem;
  }
}

/** What is at a path, as a response whose body is still to be read. */
export function fetchFile(path) {
  return request(path);
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
    throw new Problem(UNREACHABLE);
  }
  if (!response.ok) {
    const body = await response.text().catch(() => ""); // it may break off
    throw problemOf(response.status, body, response.headers.get("Retry-After"));
  }
  return response;
}

async function readJson(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(error instanceof SyntaxError ? STRANGE : UNREACHABLE);
  }
}

/**
 * @param {number} status That of the answer.
 * @param {string} body What it says.
 * @param {string | null} retryAfter Its header of this name.
 * @returns {Problem}
 */
export function problemOf(status, body, retryAfter) {
  const facts = { status, retryAfterS: Number(retryAfter) || 0 }; // others than the service may send a date
  let told = {};
  try {
    told = JSON.parse(body) ?? {};
  } catch {
    // it was somebody between us and it
  }
  const { title, detail } = told;
  return new Problem(title && detail ? `${title}: ${detail}.` : `The service answered ${status}.`, facts);
}
