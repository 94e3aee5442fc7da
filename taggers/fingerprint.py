"""A model folder -> what decides the model's answers, as one short string that another model does not have."""

import hashlib
from pathlib import Path

from taggers.errors import ModelFolderError
from taggers.manifest import read_manifest

_DECISIVE = (
    "encoder.json",
    "model.safetensors",
    "segmenter-encoder.json",
    "segmenter-tokenizer.json",
    "tokenizer.json",
    "vocabulary.json",
)
"""What a model's answers depend on, beside ``config.json``."""


def fingerprint(folder: Path) -> str:
    """What decides a model's answers, as one short string: whether it is still what was loaded.

    A card, logs and checkpoints may come and go, and so may the scores in ``config.json``.
    """
    try:
        manifest = read_manifest(folder).model_copy(update={"scores": {}})
        found = hashlib.sha256(manifest.model_dump_json().encode())
        for name in _DECISIVE:
            if (folder / name).is_file():
                with (folder / name).open("rb") as stream:
                    found.update(f"{name} {hashlib.file_digest(stream, 'sha256').hexdigest()}".encode())
    except (OSError, ModelFolderError):  # which whoever loads it says better
        return ""
    return found.hexdigest()
