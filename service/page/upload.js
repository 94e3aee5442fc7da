/** A file -> a job. The browser sends it from the disk, so that its size is no matter of memory. */

import { keyHeaders } from "./key.js";
import { Problem, problemOf, STRANGE, UNREACHABLE } from "./service.js";

const CREATED = 201;
const LONGEST_NAME = 200;
const UNREADABLE = "It cannot be read: it is a folder, or was changed or removed meanwhile.";
/** What the service says of a file: that it is empty or odd, too large, or packed. */
const ABOUT_FILE = [400, 413, 415];

/**
 * @param {File} file
 * @param {URLSearchParams} options How it is read and tagged.
 * @param {{tell: (sent: number) => void, signal: AbortSignal}} then Hears how many bytes are sent; gives up.
 * @returns {Promise<void>} Until there is a job on it.
 * @throws {Problem} What the service refused, or that it or the file could not be had.
 */
export function sendFile(file, options, { tell, signal }) {
  const query = new URLSearchParams(options);
  query.set("name", jobName(file.name));
  // fetch() tells nothing of what is sent, hence this.
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    request.open("POST", `v1/jobs?${query}`);
    // Not what the browser takes it for, which would make .json an address to read from: the service looks itself.
    request.setRequestHeader("Content-Type", "application/octet-stream");
    for (const [name, value] of Object.entries(keyHeaders())) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded }) => tell(loaded));
    request.addEventListener("load", () => {
      if (request.status === CREATED) resolve();
      else if (request.status < 400) reject(new Problem(STRANGE));
      else reject(problemOf(request.status, request.responseText, request.getResponseHeader("Retry-After")));
    });
    request.addEventListener("error", async () => {
      reject(new Problem((await isReadable(file)) ? UNREACHABLE : UNREADABLE));
    });
    request.addEventListener("abort", () => reject(signal.reason));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

/** Whether it is the file that is wrong, so that another one may be taken. */
export function isAboutFile({ status, message }) {
  return ABOUT_FILE.includes(status) || message === UNREADABLE;
}

async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** The name of the file as the service takes it; its end, with the suffix, matters most. */
function jobName(name) {
  return name.replace(/[\u0000-\u001f\u007f/\\]/g, "_").slice(-LONGEST_NAME) || "documents";
}
