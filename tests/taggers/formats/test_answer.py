import pytest

from taggers.document import Document, MultiWord, Sentence, Span
from taggers.formats.answer import document_to_json
from taggers.offsets import OffsetUnit

SENTENCE = Sentence(
    ("Adé", "😀", "do", "n't"),
    ((1, 4), (5, 6), (7, 9), (9, 12)),
    1,
    12,
    tags={
        "lemma": ("Adé", "😀", "do", "not"),
        "upos": ("PROPN", "SYM", "AUX", "PART"),
        "feats": ("Number=Sing|Person=3", "_", "_", "Polarity=Neg"),
    },
    spans={"ner": (Span(0, 2, "PER", 0.99812345678),), "chunk": ()},
    multiword=(MultiWord(2, 4, "don't"),),
)
DOCUMENT = Document(" Adé 😀 don't", (SENTENCE,), "a")


def test_the_shape_of_an_answer():
    made = document_to_json(DOCUMENT)
    assert made == {
        "id": "a",
        "text": " Adé 😀 don't",
        "sentences": [
            {
                "start": 1,
                "end": 12,
                "tokens": [
                    {
                        "text": "Adé",
                        "start": 1,
                        "end": 4,
                        "upos": "PROPN",
                        "feats": {"Number": "Sing", "Person": "3"},
                        "lemma": "Adé",
                    },
                    {"text": "😀", "start": 5, "end": 6, "upos": "SYM", "feats": {}, "lemma": "😀"},
                    {"text": "do", "start": 7, "end": 9, "upos": "AUX", "feats": {}, "lemma": "do"},
                    {
                        "text": "n't",
                        "start": 9,
                        "end": 12,
                        "upos": "PART",
                        "feats": {"Polarity": "Neg"},
                        "lemma": "not",
                    },
                ],
                "multiword": [{"tokens": [2, 4], "text": "don't"}],
            }
        ],
        "spans": {
            "ner": [
                {
                    "label": "PER",
                    "start": 1,
                    "end": 6,
                    "text": "Adé 😀",
                    "sentence": 0,
                    "tokens": [0, 2],
                    "score": 0.998123,
                }
            ],
            "chunk": [],
        },
    }
    assert list(made["sentences"][0]["tokens"][0]) == ["text", "start", "end", "upos", "feats", "lemma"]


@pytest.mark.parametrize(
    ("unit", "ends"),
    [(OffsetUnit.CODEPOINT, [4, 6, 9, 12]), (OffsetUnit.UTF16, [4, 7, 10, 13]), (OffsetUnit.UTF8, [5, 10, 13, 16])],
)
def test_every_offset_is_in_the_unit_asked_for(unit, ends):
    made = document_to_json(DOCUMENT, offsets=unit)
    [sentence] = made["sentences"]
    assert [token["end"] for token in sentence["tokens"]] == ends
    assert sentence["end"] == ends[-1]
    assert made["spans"]["ner"][0]["end"] == ends[1]


def test_a_document_without_sentences_and_a_sentence_without_words():
    assert document_to_json(Document("")) == {"id": None, "text": "", "sentences": [], "spans": {}}
    empty = Document("", (Sentence((), (), 0, 0),))
    assert document_to_json(empty)["sentences"] == [{"start": 0, "end": 0, "tokens": []}]


def test_gold_spans_have_no_score():
    document = Document("Li", (Sentence(("Li",), ((0, 2),), 0, 2, spans={"ner": (Span(0, 1, "PER"),)}),))
    assert "score" not in document_to_json(document)["spans"]["ner"][0]
