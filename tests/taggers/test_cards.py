"""What is told of models: the table's figures and the card without what is for machines."""

import io

import pytest
from rich.console import Console

from taggers.cards import models_table, read_card, render_card
from taggers.checkpoint import Model, save_model
from taggers.errors import ModelFolderError
from tests.tiny import tiny_model


def shown(renderable, width: int = 150) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    return console.file.getvalue()


def test_table_of_models(tmp_path, monkeypatch) -> None:
    model = tiny_model()
    scores = {
        "ewt test, gold tokens": {
            "tokens": 25094,
            "sentences": 2077,
            "upos": 0.9512,
            "ufeats": 0.96,
            "ner": {"precision": 0.5, "recall": 0.6, "f1": 0.55, "types": {}},
            "ner_conlleval": {"f1": 0.6},
        },
        "ewt test, raw text": {"tokens": 25094, "upos": 0.94, "segmentation": {"tokens": 0.991, "sentences": 0.87}},
        "counts only": {"tokens": 5},
        "no object": 3,
    }
    manifest = model.manifest.model_copy(update={"name": "en-tiny", "scores": scores})
    save_model(tmp_path / "en-tiny", Model(manifest, model.tagger, model.segmenter))
    save_model(tmp_path / "bare", Model(model.manifest.model_copy(update={"segmenter": None}), model.tagger, None))
    monkeypatch.setattr("taggers.catalog.PRETRAINED", tmp_path)
    monkeypatch.setattr("taggers.cards.ALIASES", {"en": "en-tiny", "de": "de-tiny", "english": "en-tiny"})
    header, *rows = [line.split() for line in shown(models_table()).splitlines()]
    assert header == ["name", "also", "language", "tasks", "MB", "scores"]
    assert rows[0] == ["bare", "en", "upos,", "xpos,", "feats,", "lemma,", "ner", "0.0"]
    assert rows[1][:7] == ["en-tiny", "en,", "english", "en", "sentences,", "tokens,", "upos,"]
    text = " ".join(" ".join(row) for row in rows)
    assert "ewt test, gold tokens: UPOS 95.1, features 96.0, entities 55.0" in text
    assert "ewt test, raw text: UPOS 94.0, tokens 99.1, sentences 87.0" in text
    assert "counts only" not in text


def test_card_is_rendered_without_its_front_matter() -> None:
    assert (
        shown(render_card("---\nlicense: x\n---\n# Tiny\n\nSome *text*.\n")).split()
        == shown(render_card("# Tiny\n\nSome *text*.\n")).split()
    )
    assert "rule" in shown(render_card("---\nno end of it: a rule\n"))


def test_missing_card_is_told(tmp_path) -> None:
    with pytest.raises(ModelFolderError, match=r"README\.md cannot be read"):
        read_card(tmp_path)
    (tmp_path / "README.md").write_bytes(b"\xff")
    with pytest.raises(ModelFolderError, match=r"README\.md cannot be read"):
        read_card(tmp_path)
