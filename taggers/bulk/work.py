"""What is to be done with every chunk: all that a worker needs to know, wherever it runs."""

from dataclasses import dataclass

from taggers.bulk.pieces import ReadOptions
from taggers.bulk.rendering import OutputOptions
from taggers.catalog import find_model
from taggers.config import Precision
from taggers.errors import ModelNotFound
from taggers.fingerprint import fingerprint


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done with every chunk, by whoever does it.

    Attributes:
        model: A bundled model's name, or a model folder.
        device: Where it runs.
        precision: In how many bits its encoders compute.
        tasks: Which layers are filled; None for all.
        max_batch_tokens: The most positions in one batch, padding included; None for what suits most machines.
        reading: How pieces are parsed.
        output: How documents are written.
    """

    model: str
    reading: ReadOptions
    output: OutputOptions
    device: str = "auto"
    precision: Precision = "auto"
    tasks: tuple[str, ...] | None = None
    max_batch_tokens: int | None = None


def content_of(model: str) -> str | None:
    """What is in a model, so that a job is not finished by another of the same name; None where it is not here."""
    try:
        return fingerprint(find_model(model))
    except ModelNotFound:  # whoever loads it, perhaps on another machine, says what is wrong
        return None
