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
from taggers.errors import ConfigError
from taggers.labeler import Chunk
from taggers.labels import MISSING, LabelSet, label_set_id
from taggers.tasks import Task
from taggers.windows import windows
from training.config import DataConfig
from training.corpora import read_documents
from training.data import (
    Example,
    count_forms,
    cut_examples,
    draw_examples,
    join_examples,
    learn_tasks,
    make_examples,
)


def annotated(words: str, **tags: str) -> Sentence:
    (sentence,) = Document.from_words([words.split()]).sentences
    spans = {"ner": ()} if "ner" in tags else {}
    columns = {layer: tuple(column.split()) for layer, column in tags.items() if layer != "ner"}
    return sentence.annotated(tags=columns, spans=spans)


def named(words: str, *spans: tuple[int, int, str]) -> Sentence:
    (sentence,) = Document.from_words([words.split()]).sentences
    return sentence.annotated(spans={"ner": tuple(Span(*span) for span in spans)})


def shape(examples: Sequence[Example]) -> Counter[tuple[str, frozenset[str]]]:
    return Counter((" ".join(example.forms), frozenset(example.labels)) for example in examples)


def sentences_of(data: DataConfig, name: str, corpora: Path, **layers: str) -> list[Sentence]:
    return [sentence for document in read_documents(data, [name], corpora, layers) for sentence in document]


# joining


def test_two_files_of_the_same_sentences_in_another_order_are_joined(fixtures: Path) -> None:
    tags = sentences_of(DataConfig(), "letters.conllu", fixtures, upos="upos")
    spans = sentences_of(DataConfig(), "letters.iob2", fixtures, ner="ner")
    tasks = learn_tasks([*tags, *spans], {"upos": TaskConfig(), "ner": TaskConfig(type="span")})
    joined = join_examples([make_examples(tags, tasks), make_examples(spans, tasks)])
    assert len(joined) == len(tags) == 12
    assert {frozenset(example.labels) for example in joined} == {frozenset({"upos", "ner"})}
    (ada, *_) = joined
    assert [label for label in tasks["ner"].labels.decode(ada.labels["ner"]) if label[0] == "B"] == ["B-PER", "B-PER"]


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

    def make(text: str) -> Example:
        word, layers = text.split()
        return Example((word,), {names[layer]: [0] for layer in layers})

    joined = join_examples([[make(text) for text in examples] for examples in sets])
    wanted = {(k.split()[0], frozenset(names[c] for c in k.split()[1])): n for k, n in expected.items()}
    assert shape(joined) == wanted


def test_a_joined_sentence_is_drawn_as_often_as_the_set_that_is_drawn_more_often() -> None:
    tags, spans = [Example(("x",), {"u": [0]}, 0.5)], [Example(("x",), {"n": [0]})]
    assert [example.share for example in join_examples([tags, spans])] == [1.0]


def test_an_epoch_draws_its_share_and_another_epoch_another() -> None:
    examples = [Example((str(i),), {"u": [0]}, 0.25 if i % 2 else 1.0) for i in range(4000)]
    first, again, second = (list(draw_examples(examples, 7, epoch)) for epoch in (0, 0, 1))
    assert first == again
    assert first != second
    for drawn in (first, second):
        assert sum(example.share == 1.0 for example in drawn) == 2000
        assert 400 < sum(example.share == 0.25 for example in drawn) < 600


@st.composite
def layered_sets(draw):
    """Data sets over few distinct sentences, each set with tasks of its own choice; every column is unique."""
    sets = []
    for number in range(draw(st.integers(1, 4))):
        tasks = draw(st.lists(st.sampled_from(["upos", "xpos", "lemma"]), min_size=1, unique=True))
        words = draw(st.lists(st.sampled_from(["a", "b", "a b"]), max_size=6))
        sets.append(
            [
                Example(text.split(), {task: [100 * number + i] * len(text.split()) for task in tasks})
                for i, text in enumerate(words)
            ]
        )
    return sets


def columns_of(examples):
    return Counter((*e.forms, task, tuple(column)) for e in examples for task, column in e.labels.items())


@given(layered_sets())
@settings(max_examples=100)
def test_joining_keeps_every_layer_once(sets) -> None:
    joined = join_examples(sets)
    assert columns_of(joined) == columns_of(example for examples in sets for example in examples)
    assert len(joined) <= sum(map(len, sets))


@given(layered_sets(), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_what_is_joined_does_not_hang_on_the_order_inside_a_set(sets, order: random.Random) -> None:
    shuffled = [order.sample(examples, len(examples)) for examples in sets]
    assert shape(join_examples(shuffled)) == shape(join_examples(sets))


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


def test_spans_for_a_task_of_tags_are_told() -> None:
    with pytest.raises(ConfigError, match=r"tasks\.ner: the layer 'ner' holds spans: type = \"span\" is missing"):
        learn_tasks([named("Ada", (0, 1, "PER"))], {"ner": TaskConfig()})


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
        sentences_of(DataConfig(labels=labels), "letters.iob2", fixtures, **{task: "ner"})
        for task, labels in (("people", {"LOC": "O", "ORG": "O"}), ("places", {"PER": "O", "ORG": "O"}))
    ]
    configs = {task: TaskConfig.model_validate({"type": "span", "from": "ner"}) for task in ("people", "places")}
    tasks = learn_tasks([sentence for sentences in sets for sentence in sentences], configs)
    assert {name: task.span_labels for name, task in tasks.items()} == {"people": ("PER",), "places": ("LOC",)}
    assert {task.layer for task in tasks.values()} == {"ner"}
    joined = join_examples(make_examples(sentences, tasks) for sentences in sets)
    assert all(example.labels.keys() == {"people", "places"} for example in joined)


# labels that a set does not annotate

BOTH = named("Ada saw Mars", (0, 1, "PER"), (2, 3, "MISC"))
SPANS = {"ner": TaskConfig(type="span"), "upos": TaskConfig()}


def spans_learned(*unannotated: Sequence[str]) -> dict[str, Task]:
    return learn_tasks([BOTH, named("x", (0, 1, "LOC")), annotated("a", upos="X")], SPANS, unannotated=unannotated)


def test_outside_may_be_what_the_set_does_not_annotate() -> None:
    tasks = spans_learned((), ["MISC"])
    (example,) = make_examples([BOTH], tasks, unannotated=["MISC"])
    b_per, b_misc, outside = (tasks["ner"].labels.id(tag) for tag in ("B-PER", "B-MISC", "O"))
    assert example.labels["ner"] == [b_per, label_set_id(0), b_misc]  # a span that is marked all the same is learned
    assert tasks["ner"].labels.decode(tasks["ner"].label_sets[0]) == ["O", "B-MISC", "I-MISC"]
    (whole,) = make_examples([BOTH], tasks)
    assert whole.labels["ner"] == [b_per, outside, b_misc]


def test_every_gap_has_its_set_of_labels() -> None:
    tasks = spans_learned(["MISC"], [], ["PER", "MISC"], ["MISC", "PER"], ["MISC"])
    assert [len(ids) for ids in tasks["ner"].label_sets] == [3, 5]
    assert tasks["upos"].label_sets == ()
    for gap, index in ((["MISC"], 0), (["MISC", "PER"], 1)):
        (example,) = make_examples([named("x")], tasks, unannotated=gap)
        assert example.labels == {"ner": [label_set_id(index)]}


def test_only_spans_have_gaps() -> None:
    (example,) = make_examples([annotated("a b", upos="X Y")], spans_learned(["MISC"]), unannotated=["MISC"])
    assert example.labels["upos"] == [0, MISSING]


def test_an_unannotated_label_that_nobody_annotates_is_refused() -> None:
    with pytest.raises(
        ConfigError, match="unannotated: no training data has spans of 'MICS'; there are: LOC, MISC, PER"
    ):
        spans_learned(["MISC"], ["MICS"])


# long sentences


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
def test_the_two_annotations_of_ewt_are_joined(corpora: Path) -> None:
    tags = sentences_of(DataConfig(), "ud/en_ewt/dev.conllu", corpora, upos="upos")
    spans = sentences_of(DataConfig(), "ner/uner_en_ewt/dev.iob2", corpora, ner="ner")
    tasks = learn_tasks([*tags, *spans], {"upos": TaskConfig(), "ner": TaskConfig(type="span")})
    sets = [make_examples(sentences, tasks) for sentences in (tags, spans)]
    joined = join_examples(sets)
    assert sum(len(example.labels) == 2 for example in joined) > 0.95 * len(tags)
    assert columns_of(joined) == columns_of(example for examples in sets for example in examples)
