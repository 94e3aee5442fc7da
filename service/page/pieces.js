/**
 * A long text -> pieces that are tagged one after another, so that the first words are seen at once and the service can
 * serve others in between. Together they are the text. A text of ordinary length is one piece.
 */

const LONGEST = 32_000;
/** A piece ends within so many of its last characters, where a sentence most likely ends. */
const SEARCHED = 8_000;

/**
 * @param {string} text
 * @returns {Generator<string>}
 */
export function* cutPieces(text) {
  let start = 0;
  while (text.length - start > LONGEST) {
    const end = start + LONGEST;
    const from = end - SEARCHED;
    const cut = from + bestCut(text.slice(from, end));
    yield text.slice(start, cut);
    start = cut;
  }
  yield text.slice(start);
}

/** Where in some text to cut it: after a blank line, a line, a sentence, or between any two characters. */
function bestCut(text) {
  return lastEnd(text, /\n\s*\n/g) || lastEnd(text, /\n/g) || lastSegment(text, "sentence") || lastSegment(text, "grapheme");
}

function lastEnd(text, pattern) {
  let end = 0;
  for (const match of text.matchAll(pattern)) end = match.index + match[0].length;
  return end;
}

/** The start of the last segment, which may go on beyond the text. */
function lastSegment(text, granularity) {
  let start = 0;
  for (const segment of new Intl.Segmenter(undefined, { granularity }).segment(text)) start = segment.index;
  return start;
}
