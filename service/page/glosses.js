/** What short names mean, for people who do not know them by heart. */

/** The universal parts of speech (https://universaldependencies.org/u/pos/). */
export const PARTS_OF_SPEECH = {
  ADJ: "adjective",
  ADP: "adposition",
  ADV: "adverb",
  AUX: "auxiliary",
  CCONJ: "coordinating conjunction",
  DET: "determiner",
  INTJ: "interjection",
  NOUN: "noun",
  NUM: "numeral",
  PART: "particle",
  PRON: "pronoun",
  PROPN: "proper noun",
  PUNCT: "punctuation",
  SCONJ: "subordinating conjunction",
  SYM: "symbol",
  VERB: "verb",
  X: "other",
};

export const ENTITIES = { PER: "person", LOC: "place", ORG: "organization", MISC: "other name" };

export const LAYERS = { upos: "Part of speech", xpos: "XPOS tag", lemma: "Lemma", feats: "Features", ner: "Entities" };

/** The hue of a label, in degrees: known ones are always the same, others are spread around the circle. */
export function hueOf(label, labels) {
  const known = { PER: 265, LOC: 150, ORG: 55, MISC: 340 };
  return known[label] ?? (labels.indexOf(label) * 137.5 + 20) % 360;
}
