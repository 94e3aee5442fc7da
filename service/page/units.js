/**
 * A tagged document -> units. A unit is what the reader sees as one word: a token, or all the tokens that share the same
 * characters, as the words of a contraction may.
 *
 * @typedef {object} Unit
 * @property {number} start Where it is in the document's text, half-open, in UTF-16 units.
 * @property {number} end
 * @property {object[]} tokens One, or those that share its characters.
 * @property {number} sentence The index of its sentence.
 * @property {object | null} span The labelled run of tokens that it is in.
 */

/**
 * @param {object} document As the service answers it.
 * @param {string} layer Whose spans are wanted; "" for none.
 * @returns {Unit[]}
 */
export function toUnits(document, layer) {
  const spans = new Map();
  for (const span of document.spans[layer] ?? []) {
    for (let token = span.tokens[0]; token < span.tokens[1]; token += 1) spans.set(`${span.sentence} ${token}`, span);
  }
  const units = [];
  document.sentences.forEach(({ tokens }, sentence) => {
    tokens.forEach((token, index) => {
      const last = units.at(-1);
      const span = spans.get(`${sentence} ${index}`) ?? null;
      if (last && token.start < last.end) {
        last.tokens.push(token);
        last.end = Math.max(last.end, token.end);
        last.span ??= span;
      } else {
        units.push({ start: token.start, end: token.end, tokens: [token], sentence, span });
      }
    });
  });
  return units;
}

/** Feature values and tags of a unit in one layer, as one string: `ADP+DET`. */
export function valueOf(unit, layer) {
  return unit.tokens.map((token) => token[layer] ?? "").filter(Boolean).join("+");
}
