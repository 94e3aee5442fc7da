import copy

import pytest

from taggers.document import EmptyNode, MultiWord, Sentence
from taggers.formats.answer import document_to_json
from taggers.formats.answer_reader import document_from_json
from tests.taggers.formats.test_answer import DOCUMENT

ANSWER = document_to_json(DOCUMENT)
WORD = {"text": "a", "start": 0, "end": 1}
NODE = {"after": 1, "index": 1, "columns": list("abcdefghi")}


def test_an_answer_comes_back():
    [sentence] = document_from_json(ANSWER).sentences
    assert isinstance(sentence, Sentence)
    assert document_to_json(document_from_json(ANSWER)) == ANSWER


def test_what_conllu_holds_beside_comes_back():
    data = copy.deepcopy(ANSWER)
    data["sentences"][0] |= {
        "comments": ["# sent_id = 1"],
        "empty_nodes": [{"after": 2, "index": 1, "columns": list("abcdefghi")}],
        "multiword": [{"tokens": [2, 4], "text": "don't", "columns": list("abcdefgh")}],
    }
    [sentence] = document_from_json(data).sentences
    assert sentence.comments == ("# sent_id = 1",)
    assert sentence.empty_nodes == (EmptyNode(2, 1, tuple("abcdefghi")),)
    assert sentence.multiword == (MultiWord(2, 4, "don't", tuple("abcdefgh")),)


def test_a_column_that_some_tokens_lack_has_no_value_there_and_feats_may_be_a_string():
    data = copy.deepcopy(ANSWER)
    first, second = data["sentences"][0]["tokens"][:2]
    del first["upos"]
    second["feats"] = "A=b"
    [sentence] = document_from_json(data).sentences
    assert sentence.tags["upos"][:2] == ("_", "SYM")
    assert sentence.tags["feats"][:2] == ("Number=Sing|Person=3", "A=b")


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (("sentences",), {}, r"sentences: expected a list"),
        (("sentences", 0), 1, r"sentences\[0\]: expected an object"),
        (("sentences", 0, "end"), 3, r"leaves sentence"),
        (("sentences", 0, "tokens", 1), None, r"sentences\[0\].tokens\[1\]: expected an object"),
        (("sentences", 0, "tokens", 1, "start"), 99, r"offset 99 is outside the text"),
        (("sentences", 0, "tokens", 1, "start"), 8, r"sentences\[0\].tokens\[1\]: expected a range inside 0:12"),
        (("sentences", 0, "tokens", 1, "upos"), 3, r"sentences\[0\].tokens\[1\].upos: expected a string"),
        (("sentences", 0, "tokens", 0, "feats", "Number"), 3, r"tokens\[0\].feats.Number: expected a string"),
        (("sentences", 0, "tokens", 0, "start"), 2, r"text lost before 2"),
        (("sentences", 0, "multiword", 0, "tokens"), [2], r"multiword\[0\].tokens: expected \[first, stop\]"),
        (("sentences", 0, "multiword", 0, "tokens"), [2, 2], r"multiword\[0\].tokens: expected a range"),
        (("sentences", 0, "multiword"), [{"tokens": [0, 2], "text": "x"}] * 2, r"expected a range from 2, found 0:2"),
        (("sentences", 0, "empty_nodes"), [{"after": 9}], r"empty_nodes\[0\].after: expected a range"),
        (("sentences", 0, "empty_nodes"), [{"after": 0, "index": 1, "columns": []}], r"expected 9 strings, found 0"),
        (("sentences", 0, "empty_nodes"), [NODE | {"index": 7}], r"in order, counted from 1 .*, found 1.7"),
        (("sentences", 0, "empty_nodes"), [NODE, NODE], r"empty_nodes\[1\]: .*, found 1.1 behind 1.1"),
        (("sentences", 0, "empty_nodes"), [NODE, NODE | {"after": 0}], r"found 0.1 behind 1.1"),
        (("sentences", 0, "empty_nodes"), [NODE | {"columns": ["a\tb", *"bcdefghi"]}], r"columns\[0\]: .*without tabs"),
        (("sentences", 0, "empty_nodes"), [NODE | {"columns": [*"abcdefgh", ""]}], r"columns\[8\]: expected a value"),
        (("sentences", 0, "multiword", 0, "columns"), [*"abcdefg", "\n"], r"multiword\[0\].columns\[7\]: expected a"),
        (("sentences", 0, "comments"), ["# a", "b"], r"comments\[1\]: expected a line that begins with #, found 'b'"),
        (("sentences", 0, "comments"), ["# a\n9\tz"], r"comments\[0\]: expected a line that begins with #"),
        (("spans",), [], r"spans: expected an object"),
        (("spans",), {f"layer{n}": [] for n in range(101)}, r"spans: expected at most 100 layers, found 101"),
        (
            ("sentences", 0, "tokens", 0),
            {f"t{n}": "x" for n in range(101)} | WORD,
            r"tokens: expected at most 100 layers",
        ),
        (("spans", "ner", 0, "sentence"), 1, r"spans.ner\[0\].sentence: expected a range"),
        (("spans", "ner", 0, "tokens"), [0, 9], r"spans.ner\[0\].tokens: expected a range inside 0:4"),
        (("spans", "ner", 0, "tokens"), [-1, 1], r"spans.ner\[0\].tokens: expected a range inside 0:4"),
        (("spans", "ner", 0, "label"), None, r"spans.ner\[0\].label: expected a string"),
        (("spans", "ner", 0, "score"), "high", r"spans.ner\[0\].score: expected a number, found 'high'"),
        (("text",), "x" * 99, r"text lost"),
    ],
)
def test_a_wrong_field_is_named(path, value, problem):
    data = copy.deepcopy(ANSWER)
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(ValueError, match=problem):
        document_from_json(data)
