/** Numbers as people say them. */

const MEGABYTE = 1_000_000;

const number = new Intl.NumberFormat("en");

/** `1,234 words`, `1 word`. */
export function counted(count, one, many) {
  return `${number.format(count)} ${count === 1 ? one : many}`;
}

/** Seconds -> `12 s`, `3 min`, `2 h 5 min`. */
export function duration(seconds) {
  if (seconds < 59.5) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Bytes -> `3.2 MB`. */
export function megabytes(bytes) {
  const many = bytes / MEGABYTE;
  return `${many < 10 ? many.toFixed(1) : number.format(Math.round(many))} MB`;
}
