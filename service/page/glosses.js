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

/** The states of a job. */
export const STATES = { queued: "Waiting", running: "Running", done: "Done", failed: "Failed", cancelled: "Cancelled" };

/** The forms of results: what they are called, and what is in them. */
export const RESULTS = {
  jsonl: ["JSONL", "One JSON object for each document, with offsets and all other fields"],
  parquet: ["Parquet", "A table with a row for each document, and all other columns"],
  conllu: ["CoNLL-U", "A line for each word, with its part of speech, features and lemma"],
  iob2: ["IOB2", "A line for each word, with the label of its entity"],
  html: ["HTML", "A page to read, entities highlighted"],
};

/** The forms of files that are taken. */
export const INPUTS = {
  auto: "Found by the service",
  text: "Text, a document a line",
  jsonl: "JSON Lines",
  csv: "CSV",
  parquet: "Parquet",
  conllu: "CoNLL-U",
};

/** The hue of a label, in degrees: known ones are always the same, others are spread around the circle. */
export function hueOf(label, labels) {
  const known = { PER: 265, LOC: 150, ORG: 55, MISC: 340 };
  return known[label] ?? (labels.indexOf(label) * 137.5 + 20) % 360;
}
