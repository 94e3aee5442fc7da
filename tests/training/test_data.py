"""Data sets -> examples: joining loses and doubles no annotation, and what is missing stays missing."""

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taggers.config import TaskConfig
from taggers.document import Document, Sentence, Span
from taggers.errors import ConfigError, FormatError
from taggers.formats.columns import ColumnReport, read_columns_file
from taggers.labeler import Chunk
from taggers.labels import LabelSet
from taggers.tasks import Task
from taggers.windows import windows
from training.config import DataConfig
from training.data import (
    MISSING,
    Example,
    count_forms,
    cut_examples,
    join_layers,
    learn_tasks,
    make_examples,
    name_layers,
    read_documents,
)


def annotated(words: str, **tags: str) -> Sentence:
    (sentence,) = Document.from_words([words.split()]).sentences
    spans = {"ner": ()} if "ner" in tags else {}
    columns = {layer: tuple(column.split()) for layer, column in tags.items() if layer != "ner"}
    return sentence.annotated(tags=columns, spans=spans)


def layers_of(sentence: Sentence) -> frozenset[str]:
    return frozenset({*sentence.tags, *sentence.spans})


def shape(sentences: Sequence[Sentence]) -> Counter[tuple[str, frozenset[str]]]:
    return Counter((" ".join(sentence.words), layers_of(sentence)) for sentence in sentences)


# reading


def test_only_the_tasks_of_the_set_are_kept(fixtures: Path) -> None:
    documents = read_documents(DataConfig(), ["letters.conllu"], fixtures, {"upos": "upos", "lemma": "lemma"})
    assert len(documents) == 3
    assert {layers_of(sentence) for document in documents for sentence in document} == {frozenset({"upos", "lemma"})}


def test_a_layer_takes_its_tasks_name(fixtures: Path) -> None:
    (first, *_) = read_documents(DataConfig(), ["letters.iob2"], fixtures, {"people": "ner"})
    assert first.sentences[0].spans.keys() == {"people"}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [({}, {"PER", "LOC", "ORG"}), ({"ORG": "O"}, {"PER", "LOC"}), ({"ORG": "GROUP"}, {"PER", "LOC", "GROUP"})],
)
def test_span_labels_are_renamed_and_o_drops_them(fixtures: Path, labels: dict[str, str], expected: set[str]) -> None:
    documents = read_documents(DataConfig(labels=labels), ["letters.iob2"], fixtures, {"ner": "ner"})
    spans = [span for document in documents for sentence in document for span in sentence.spans["ner"]]
    assert {span.label for span in spans} == expected


def test_labels_may_change_places() -> None:
    (sentence,) = Document.from_words([["a", "b"]]).sentences
    document = Document("a b", (sentence.annotated(spans={"ner": (Span(0, 1, "A"), Span(1, 2, "B"))}),))
    (renamed,) = name_layers(document, {"ner": "ner"}, {"A": "B", "B": "A"})
    assert renamed.spans["ner"] == (Span(0, 1, "B"), Span(1, 2, "A"))


def test_an_absent_file_is_told_with_the_folder_of_the_corpora(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file: .*none\.conllu .*corpora = "):
        read_documents(DataConfig(), ["none.conllu"], tmp_path, {})


def test_a_malformed_file_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.conllu").write_text("1\tone\n", encoding="utf-8")
    with pytest.raises(FormatError, match=r"bad\.conllu:1: "):
        read_documents(DataConfig(), ["bad.conllu"], tmp_path, {})


# joining


def test_two_files_of_the_same_sentences_in_another_order_are_joined(fixtures: Path) -> None:
    tags, spans = (
        [sentence for document in read_documents(DataConfig(), [name], fixtures, layers) for sentence in document]
        for name, layers in (("letters.conllu", {"upos": "upos"}), ("letters.iob2", {"ner": "ner"}))
    )
    joined = join_layers([tags, spans])
    assert len(joined) == len(tags) == 12
    assert {layers_of(sentence) for sentence in joined} == {frozenset({"upos", "ner"})}
    (ada, *_) = joined
    assert [span.label for span in ada.spans["ner"]] == ["PER", "PER"]


@pytest.mark.parametrize(
    ("sets", "expected"),
    [
        # each partner is taken once
        ([["x u", "x u", "x u"], ["x n", "x n"]], {"x un": 2, "x u": 1}),
        ([["x u"], ["x n", "x n"]], {"x un": 1, "x n": 1}),
        # never within a set, never with a layer that is there
        ([["x u", "x n"]], {"x u": 1, "x n": 1}),
        ([["x u"], ["x u"]], {"x u": 2}),
        ([["x u"], ["y n"]], {"x u": 1, "y n": 1}),
        # three sets, and a partner behind one that is taken already
        ([["x u"], ["x n"], ["x l"]], {"x unl": 1}),
        ([["x u"], ["x n"], ["x u"], ["x n"]], {"x un": 2}),
        ([[], ["x n"]], {"x n": 1}),
    ],
)
def test_joining_is_of_multisets(sets: list[list[str]], expected: dict[str, int]) -> None:
    names = {"u": "upos", "n": "ner", "l": "lemma"}

    def make(text: str) -> Sentence:
        word, layers = text.split()
        return annotated(word, **{names[layer]: "T" for layer in layers})

    joined = join_layers([[make(text) for text in sentences] for sentences in sets])
    wanted = {(k.split()[0], frozenset(names[c] for c in k.split()[1])): n for k, n in expected.items()}
    assert shape(joined) == wanted


@st.composite
def layered_sets(draw):
    """Data sets over few distinct sentences, each set with layers of its own choice; every column is unique."""
    sets = []
    for number in range(draw(st.integers(1, 4))):
        layers = draw(st.lists(st.sampled_from(["upos", "xpos", "lemma"]), min_size=1, unique=True))
        words = draw(st.lists(st.sampled_from(["a", "b", "a b"]), max_size=6))
        sets.append(
            [
                annotated(text, **{layer: " ".join([f"{layer}{number}.{i}"] * len(text.split())) for layer in layers})
                for i, text in enumerate(words)
            ]
        )
    return sets


def columns_of(sentences):
    return Counter((s.words, layer, column) for s in sentences for layer, column in s.tags.items())


@given(layered_sets())
@settings(max_examples=100)
def test_joining_keeps_every_layer_once(sets) -> None:
    joined = join_layers(sets)
    assert columns_of(joined) == columns_of(sentence for sentences in sets for sentence in sentences)
    assert len(joined) <= sum(map(len, sets))


@given(layered_sets(), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_what_is_joined_does_not_hang_on_the_order_inside_a_set(sets, order: random.Random) -> None:
    shuffled = [order.sample(sentences, len(sentences)) for sentences in sets]
    assert shape(join_layers(shuffled)) == shape(join_layers(sets))


# label sets and examples


def test_label_sets_are_learned_from_what_is_carried() -> None:
    sentences = [annotated("a b", upos="X Y", ner=""), annotated("c", upos="X")]
    tasks = learn_tasks(sentences, {"upos": TaskConfig(), "ner": TaskConfig(type="span")})
    assert tasks["upos"].labels == LabelSet(["X", "Y"])
    assert tasks["ner"].labels == LabelSet(["O"])


def test_rare_labels_are_left_out() -> None:
    sentences = [annotated("a b c", upos="X X Y")]
    assert learn_tasks(sentences, {"upos": TaskConfig(min_count=2)})["upos"].labels == LabelSet(["X"])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (TaskConfig(type="span"), "tasks.upos: no training sentence carries the layer 'upos'"),
        (TaskConfig.model_validate({"from": "conllu:pos", "type": "span"}), "carries the layer 'pos'"),
        (TaskConfig(min_count=3), r"tasks.upos: no label occurs 3 times \(min_count\)"),
    ],
)
def test_a_task_without_labels_is_refused(config: TaskConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        learn_tasks([annotated("a b", upos="X X")], {"upos": config})


def test_examples_hold_ids_and_unknown_labels_are_missing() -> None:
    task = Task("upos", "token", "upos", LabelSet(["X", "Y"]))
    (example,) = make_examples([annotated("a b c", upos="Y Z X")], {"upos": task})
    assert example == Example(("a", "b", "c"), {"upos": [1, MISSING, 0]})


def test_a_sentence_has_only_the_tasks_that_it_carries() -> None:
    tasks = learn_tasks([annotated("a", upos="X", ner="")], {"upos": TaskConfig(), "ner": TaskConfig(type="span")})
    sentences = [annotated("a", upos="X"), annotated("b", ner=""), annotated("c", upos="X", ner=""), annotated("d")]
    made = [(" ".join(example.forms), set(example.labels)) for example in make_examples(sentences, tasks)]
    assert made == [("a", {"upos"}), ("b", {"ner"}), ("c", {"upos", "ner"})]


def test_an_empty_sentence_is_no_example() -> None:
    task = Task("upos", "token", "upos", LabelSet(["X"]))
    assert make_examples([annotated("", upos="")], {"upos": task}) == []


def test_two_tasks_learn_from_layers_of_one_name_in_different_sets(fixtures: Path) -> None:
    sets = [
        [s for d in read_documents(DataConfig(labels=labels), ["letters.iob2"], fixtures, {task: "ner"}) for s in d]
        for task, labels in (("people", {"LOC": "O", "ORG": "O"}), ("places", {"PER": "O", "ORG": "O"}))
    ]
    configs = {task: TaskConfig.model_validate({"type": "span", "from": "ner"}) for task in ("people", "places")}
    tasks = learn_tasks(join_layers(sets), configs)
    assert {name: task.span_labels for name, task in tasks.items()} == {"people": ("PER",), "places": ("LOC",)}
    assert {task.layer for task in tasks.values()} == {"ner"}
    assert all(example.labels.keys() == {"people", "places"} for example in make_examples(join_layers(sets), tasks))


@given(st.integers(1, 60), st.integers(5, 20), st.integers(0, 2))
def test_long_examples_are_cut_as_the_network_reads_them(length: int, size: int, margin: int) -> None:
    def chunks(forms):
        return [
            Chunk(forms[w.start : w.stop], slice(w.keep_start - w.start, w.keep_stop - w.start), w.stop - w.start)
            for w in windows(len(forms), size=size, margin=margin)
        ]

    whole = Example([str(i) for i in range(length)], {"t": list(range(length))})
    parts = list(cut_examples([whole], chunks))
    assert all(len(part.forms) <= size and len(part.labels["t"]) == len(part.forms) for part in parts)
    learned = [(form, label) for p in parts for form, label in zip(p.forms, p.labels["t"], strict=True) if label >= 0]
    assert learned == [(str(i), i) for i in range(length)]
    if length <= size:
        assert parts[0] is whole


def test_forms_are_counted() -> None:
    assert count_forms([["a", "b"], ["a"]]) == {"a": 2, "b": 1}
    assert count_forms(["aab"]) == {"a": 2, "b": 1}


# the corpora


@pytest.mark.corpora
def test_stray_tags_of_universal_ner_stand_where_no_span_goes_on(corpora: Path) -> None:
    """``B-O`` is on the last token of 540 sentences, so that an ``I-X`` follows none of them and each is ``O``."""
    path = corpora / "ner" / "uner_en_ewt" / "train.iob2"
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("# ")]
    after = Counter(rows[i + 1][2:3] == [] for i, row in enumerate(rows) if row[2:3] == ["B-O"])
    assert after == {True: 540}
    report = ColumnReport()
    documents = read_columns_file(path, report=report)
    assert report.by_kind == {"B-O read as O": 540}
    spans = Counter(span.label for document in documents for sentence in document for span in sentence.spans["ner"])
    assert spans == {"PER": 2873, "LOC": 2698, "ORG": 1434, "OTH": 888}


@pytest.mark.corpora
def test_the_two_annotations_of_ewt_are_joined(corpora: Path) -> None:
    tags, spans = (
        [s for d in read_documents(DataConfig(), [name], corpora, {layer: layer}) for s in d]
        for name, layer in (("ud/en_ewt/dev.conllu", "upos"), ("ner/uner_en_ewt/dev.iob2", "ner"))
    )
    joined = join_layers([tags, spans])
    assert sum(layers_of(sentence) == {"upos", "ner"} for sentence in joined) > 0.95 * len(tags)
    assert columns_of(joined) == columns_of(tags)
