/** The API key, for services that want one. It is kept in this tab's session storage and sent to the service alone. */

const ITEM = "tagline.key";

const form = document.getElementById("key-form");
const field = document.getElementById("key");
const retries = [];

/** Whether there is a key to send. */
export function hasKey() {
  return sessionStorage.getItem(ITEM) !== null;
}

/** Whether the service wants a key that is still to be given. */
export function isKeyWanted() {
  return !form.hidden;
}

/** The headers that a request needs on account of the key. */
export function keyHeaders() {
  const key = sessionStorage.getItem(ITEM);
  return key === null ? {} : { "X-API-Key": key };
}

/**
 * Show the field for the key.
 *
 * @param {() => void} then What to do with a new key, beside all else that waits for it: again what failed without it.
 */
export function askForKey(then) {
  retries.push(then);
  form.hidden = false;
  field.focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(ITEM, field.value.trim());
  field.value = "";
  form.hidden = true;
  for (const retry of retries.splice(0)) retry();
});
