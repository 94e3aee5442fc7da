"""Rewrite the golden answers of the bundled models: ``python -m tests.golden.write``; read the diff, then commit."""

import json
from pathlib import Path
from typing import Any

import taggers
from taggers.catalog import bundled_models
from taggers.formats.jsonl import document_to_json
from tests.golden.texts import TEXTS

FOLDER = Path(__file__).parent


def answers(name: str) -> list[dict[str, Any]]:
    """What a bundled model answers to the texts."""
    tagger = taggers.load(name, device="cpu", precision="fp32")
    return [document_to_json(document) for document in tagger.pipe(TEXTS)]


if __name__ == "__main__":
    for model in bundled_models():
        lines = [json.dumps(answer, ensure_ascii=False) for answer in answers(model)]
        (FOLDER / f"{model}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
