"""Dev scores: the mean over what each set carries, and nothing of what it does not annotate."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from taggers.document import Document, Span
from taggers.errors import ConfigError
from taggers.formats.files import read_file
from taggers.pipeline import Tagger, load
from tests.tiny import tiny_folder, tiny_model
from training.data import DevSet
from training.judging import score_segmenter, score_tagger, warn_of_absent_labels


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Tagger:
    return load(tiny_folder(tmp_path_factory.mktemp("models") / "tiny"), device="cpu")


def test_a_score_is_the_mean_over_the_sets_that_carry_the_task(tagger: Tagger, fixtures: Path) -> None:
    documents = read_file(fixtures / "letters.conllu")
    sets = [DevSet([document], ("upos",), document.id or "") for document in documents]
    each = [score_tagger(tagger, [dev_set])["upos"] for dev_set in sets]
    assert score_tagger(tagger, sets)["upos"] == pytest.approx(sum(each) / len(each))


def test_dev_sets_without_any_task_are_refused(tagger: Tagger, fixtures: Path) -> None:
    bare = read_file(fixtures / "letters.iob2")
    with pytest.raises(ConfigError, match="carry none of the tasks"):
        score_tagger(tagger, [DevSet(bare, ("upos",), "bare")])


def test_a_segmenter_is_scored_by_its_own_words(fixtures: Path) -> None:
    documents = read_file(fixtures / "letters.conllu")
    segmenter = tiny_model().segmenter
    assert segmenter is not None
    scores = score_segmenter(segmenter, documents)
    assert scores.keys() == {"score", "tokens", "words", "sentences"}


# labels that a set does not annotate


def own_answers(tagger: Tagger, texts: list[list[str]]) -> list[Document]:
    """The tagger's own answers as gold: all of them are right."""
    return list(tagger.tag([Document.from_words(texts)], tasks=("ner",)))


def without(document: Document, label: str) -> Document:
    def kept(spans: tuple[Span, ...]) -> tuple[Span, ...]:
        return tuple(span for span in spans if span.label != label)

    return replace(document, sentences=tuple(s.annotated(spans={"ner": kept(s.spans["ner"])}) for s in document))


@pytest.fixture(scope="module")
def answers(tagger: Tagger, fixtures: Path) -> list[Document]:
    words = [list(sentence.words) for document in read_file(fixtures / "letters.conllu") for sentence in document]
    return own_answers(tagger, words)


def test_spans_of_a_label_that_a_set_does_not_annotate_are_not_wrong(tagger: Tagger, answers: list[Document]) -> None:
    labels = sorted({span.label for document in answers for s in document for span in s.spans["ner"]})
    assert len(labels) > 1, "a network of random weights answers with several labels"
    gold = [without(document, labels[0]) for document in answers]
    assert score_tagger(tagger, [DevSet(answers, ("ner",), "all")])["ner"] == 1
    assert score_tagger(tagger, [DevSet(gold, ("ner",), "some")])["ner"] < 1
    assert score_tagger(tagger, [DevSet(gold, ("ner",), "some", (labels[0],))])["ner"] == 1


def test_a_dev_set_without_a_label_is_told(
    tagger: Tagger, answers: list[Document], caplog: pytest.LogCaptureFixture
) -> None:
    known = tagger.tasks["ner"].span_labels
    bare = answers
    for label in known:
        bare = [without(document, label) for document in bare]
    caplog.set_level(logging.WARNING)
    warn_of_absent_labels([DevSet(bare, ("ner",), "bare.iob2", known[:1])], tagger.tasks)
    (record,) = caplog.records
    listed = ", ".join(map(repr, sorted(known[1:])))
    assert record.getMessage() == f"bare.iob2 has no span of {listed}: not annotated? Then unannotated = [...]"
    caplog.clear()
    warn_of_absent_labels([DevSet(bare, ("ner",), "bare", known), DevSet(bare, ("upos",), "tags")], tagger.tasks)
    assert not caplog.records
