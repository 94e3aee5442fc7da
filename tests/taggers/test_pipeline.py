"""Texts to documents: offsets that hold for any text, order, streams, and errors that say what there is."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import taggers
from taggers import pipeline
from taggers.catalog import bundled_models, describe, find_model
from taggers.checkpoint import Model
from taggers.document import Document
from taggers.errors import InvalidText, ModelError, ModelFolderError, ModelNotFound, UnknownTask
from taggers.pipeline import Tagger, find_device, load
from tests.strategies import documents, texts
from tests.tiny import sentence_of, tiny_corpus, tiny_folder, tiny_model

TASKS = ("upos", "xpos", "feats", "lemma", "ner")
AWKWARD = st.text(alphabet="aB1 .\n\t\r\u0301\u200d\u200b\x00\x07\x85\ufeff😀👩🇩🇪字\u00a0ßİ", max_size=60)


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger(tiny_model())


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Tagger:
    return Tagger(tiny_model("pretrained", folder=tmp_path_factory.mktemp("bert")))


def check(document: Document, text: str) -> None:
    """What holds for every answer to ``text``."""
    assert document.text == text
    document.check()
    for sentence in document:
        assert len(sentence) > 0
        inside = {i for multi in sentence.multiword for i in range(multi.first, multi.stop)}
        for index, (word, (start, end)) in enumerate(zip(sentence.words, sentence.offsets, strict=True)):
            if index not in inside:
                assert text[start:end] == word
        for multi in sentence.multiword:
            start, end = sentence.offsets[multi.first][0], sentence.offsets[multi.stop - 1][1]
            assert text[start:end] == multi.surface
        assert text[sentence.start : sentence.end].strip() == text[sentence.start : sentence.end] != ""
        assert {name: len(column) for name, column in sentence.tags.items()} == dict.fromkeys(TASKS[:-1], len(sentence))
        assert [*sentence.spans] == ["ner"]
        stop = 0
        for span in sentence.spans["ner"]:
            assert stop <= span.start < span.stop <= len(sentence)
            assert span.score is not None
            assert 0 <= span.score <= 1
            stop = span.stop


@settings(max_examples=80)
@given(texts(max_size=80) | AWKWARD | st.text(alphabet="ab", max_size=40))
def test_offsets_hold_for_any_text(tagger: Tagger, text: str) -> None:
    check(tagger(text), text)


@settings(max_examples=30)
@given(texts(max_size=60) | AWKWARD)
def test_offsets_hold_for_any_text_through_pieces(pretrained: Tagger, text: str) -> None:
    check(pretrained(text), text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        " \n\t\u3000",
        "\x00",
        "\u200b",
        "\u0301",
        "👩\u200d👩\u200d👧",
        "\ufeffAda",
        "a\r\nb",
        "x" * 100_000,
        "." * 5000,
        "Ada " * 700,
    ],
    ids=lambda text: repr(text[:8]),
)
def test_texts_that_break_taggers(tagger: Tagger, pretrained: Tagger, text: str) -> None:
    check(tagger(text), text)
    check(pretrained(text[:20_000]), text[:20_000])


@pytest.mark.parametrize("text", ["\ud800", "fine \udfff"])
def test_a_lone_surrogate(tagger: Tagger, text: str) -> None:
    with pytest.raises(InvalidText):
        tagger(text)
    with pytest.raises(InvalidText):
        [*tagger.pipe(["fine", text])]
    with pytest.raises(InvalidText):
        tagger.tag([Document.from_words([[text]])])


def test_what_came_before_a_stream_broke_off_is_answered(tagger: Tagger) -> None:
    def stream() -> Iterator[str]:
        yield from ("Ada sings.", "Bob sings.")
        raise OSError("gone")

    wrong = ["Ada sings.", "Bob sings.", "bad \ud800"]
    for answers, error in ((tagger.pipe(stream()), OSError), (tagger.pipe(wrong), InvalidText)):
        assert [next(answers).text for _ in range(2)] == ["Ada sings.", "Bob sings."]
        with pytest.raises(error):
            next(answers)


def test_a_stream_keeps_its_order_and_changes_no_answer(tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = [*(document.text for document in tiny_corpus()), "", " ", "Ada", "😀 cats!", "wrote to London. "]
    stream = [f"{pieces[number % len(pieces)]}{number % 7}" for number in range(2000)]
    alone = {text: tagger(text) for text in set(stream)}
    for answer, text in zip(tagger.pipe(iter(stream), max_batch_tokens=500), stream, strict=True):
        assert same(answer, alone[text])


def same(one: Document, other: Document) -> bool:
    """Equal but for the last digits of scores, which depend on a batch's shape."""
    return strip_scores(one) == strip_scores(other) and all(
        first.score == pytest.approx(second.score, abs=1e-4)
        for a, b in zip(one, other, strict=True)
        for first, second in zip(a.spans["ner"], b.spans["ner"], strict=True)
    )


def strip_scores(document: Document) -> Document:
    return replace(
        document,
        sentences=tuple(
            replace(s, spans={layer: tuple(replace(x, score=None) for x in found) for layer, found in s.spans.items()})
            for s in document
        ),
    )


def test_a_stream_is_read_as_it_is_needed(tagger: Tagger) -> None:
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield "Ada wrote."

    answers = tagger.pipe(endless())
    first = [next(answers) for _ in range(3)]
    assert len(first) == 3
    assert read <= 256


def test_long_texts_are_read_a_few_at_a_time(tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_PIPED_CHARACTERS", 100)
    source = iter(["a" * 60] * 10)
    next(tagger.pipe(source))
    assert len([*source]) == 8
    assert [*tagger.pipe([])] == []


@settings(max_examples=30)
@given(st.lists(documents(), max_size=3), st.integers(1, 200))
def test_documents_that_are_split_keep_all_they_have(tagger: Tagger, given_: list[Document], budget: int) -> None:
    answers = tagger.tag(given_, max_batch_tokens=budget)
    assert [(answer.text, answer.id) for answer in answers] == [(document.text, document.id) for document in given_]
    for before, after in zip(given_, answers, strict=True):
        for old, new in zip(before, after, strict=True):
            assert (new.words, new.offsets, new.multiword, new.comments) == (
                *(old.words, old.offsets, old.multiword, old.comments),
            )
            assert new.tags.keys() == {*old.tags, *TASKS[:-1]}
            assert new.spans.keys() == {*old.spans, "ner"}
            assert new.spans.get("chunk") == old.spans.get("chunk")


def test_only_the_tasks_that_are_asked_for(tagger: Tagger) -> None:
    document = tagger("Ada wrote.", tasks=["ner", "upos"])
    assert {*document.sentences[0].tags} == {"upos"}
    assert {*document.sentences[0].spans} == {"ner"}
    assert {*tagger("Ada wrote.", tasks=[]).sentences[0].tags} == set()
    kept = tagger.tag(tiny_corpus(), tasks=["upos"])[0].sentences[0]
    assert kept.tags["lemma"] == tiny_corpus()[0].sentences[0].tags["lemma"]


def test_tasks_are_checked_and_put_in_order(tagger: Tagger) -> None:
    assert tagger.check_tasks(None) == TASKS
    assert tagger.check_tasks(["ner", "upos", "ner"]) == ("upos", "ner")
    assert tagger.check_tasks("ner") == ("ner",)
    with pytest.raises(UnknownTask, match="unknown task 'a'; this model has: feats, lemma, ner, upos, xpos"):
        tagger.check_tasks({"upos", "b", "a"})
    with pytest.raises(UnknownTask):
        tagger("Ada", tasks=["chunk"])


def test_the_steps_of_the_service_are_those_of_the_pipeline(tagger: Tagger) -> None:
    text = "Ada doesn't like Paris.\n\ncats were sleeping in London!"
    (document,) = tagger.segment([text], ids=["x"])
    assert document.id == "x"
    sentences = []
    for sentence in document:
        parts = [part for chunk in tagger.chunks(sentence) for part in tagger.label([chunk])]
        sentences.append(tagger.annotate(sentence, parts, TASKS))
    assert same(replace(document, sentences=tuple(sentences), id=None), tagger(text))


def test_a_sentence_past_the_window_is_labelled_in_chunks(tagger: Tagger) -> None:
    sentence = sentence_of("Ada wrote " * 100)
    chunks = tagger.chunks(sentence)
    assert len(chunks) > 1
    annotated = tagger.annotate(sentence, tagger.label(chunks), TASKS)
    assert len(annotated.tags["upos"]) == 200


def test_a_model_without_a_segmenter_takes_words_only() -> None:
    whole = tiny_model()
    tagger = Tagger(Model(whole.manifest, whole.tagger, None))
    assert not tagger.can_segment
    with pytest.raises(ModelError, match="model 'tiny' has no segmenter: give it text that is already split"):
        tagger("Ada")
    assert tagger.tag(tiny_corpus())[0].sentences[0].tags["upos"]


def test_what_a_tagger_tells_of_itself(tagger: Tagger) -> None:
    assert tagger.name == "tiny"
    assert tagger.can_segment
    assert tagger.device == torch.device("cpu")
    assert tagger.num_parameters == sum(
        weight.numel()
        for network in (tagger._labeler.network, tagger._segmenter.labeler.network)
        for weight in network.parameters()
    )


# ---- finding and loading


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("taggers.catalog.PRETRAINED", tmp_path / "pretrained")
    monkeypatch.chdir(tmp_path)
    tiny_folder(tmp_path / "pretrained" / "en")
    (tmp_path / "pretrained" / "unfinished").mkdir()
    return tmp_path / "pretrained"


def test_bundled_models_by_name_and_alias(bundled: Path) -> None:
    assert bundled_models() == {"en": bundled / "en"}
    assert find_model("en") == find_model("english") == bundled / "en"
    assert describe("english").name == "tiny"
    tagger = taggers.load("english", device="cpu")
    assert isinstance(tagger, taggers.Tagger)
    check(tagger("Ada wrote."), "Ada wrote.")


def test_a_folder_by_its_path(bundled: Path, tmp_path: Path) -> None:
    shutil.move(bundled / "en", tmp_path / "mine")
    assert find_model("mine") == Path("mine")
    assert find_model(tmp_path / "mine") == tmp_path / "mine"
    assert load(tmp_path / "mine", device="cpu").name == "tiny"
    with pytest.raises(ModelNotFound, match="unknown model 'english'; there are: none"):
        find_model("english")


@pytest.mark.parametrize("name", ["de", "", "no/such/folder", "a\x00b", "x" * 5000])
def test_a_model_that_is_not_there(bundled: Path, name: str) -> None:
    with pytest.raises(ModelNotFound, match="there are: en, english"):
        load(name)


def test_no_bundled_models_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taggers.catalog.PRETRAINED", tmp_path / "nowhere")
    assert bundled_models() == {}


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match=r"config\.json cannot be read"):
        load(tmp_path)


def test_devices() -> None:
    assert find_device("cpu") == torch.device("cpu")
    assert find_device("auto").type in ("cpu", "cuda")
    for name in ("gpu", "", "cpu:x", "meta", "mps", "xla:0"):
        with pytest.raises(ModelError, match=f"unknown device {name!r}: expected auto, cpu, cuda or cuda:N"):
            find_device(name)
    with pytest.raises(ModelError, match=r"device 'cuda:99' is not here: \d+ CUDA devices found"):
        find_device("cuda:99")


def test_importing_taggers_imports_no_torch() -> None:
    code = """
import sys, taggers
assert "torch" not in sys.modules
import taggers.document, taggers.boundaries, taggers.spans, taggers.lemma_rules, taggers.packing, taggers.windows
import taggers.tasks, taggers.formats.conllu, taggers.formats.jsonl
assert "torch" not in sys.modules
assert not hasattr(taggers, "nonsense")
assert taggers.load.__module__ == taggers.Tagger.__module__ == "taggers.pipeline"
assert "torch" in sys.modules
assert "transformers" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
