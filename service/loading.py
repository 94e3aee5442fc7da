"""A model folder -> a tagger that has worked once; which folders a client may name."""

import logging
from collections.abc import Callable
from pathlib import Path

from service.budget import BatchLimits, fastest_positions
from service.errors import BadRequest, FieldError, RefusedModel
from taggers.config import Precision
from taggers.document import Document
from taggers.errors import ModelError, ModelFolderError, ModelNotFound
from taggers.pipeline import Tagger, load

logger = logging.getLogger("tagline")

_CHARACTERS_PER_TOKEN = 4
"""What a segmenter reads for what a tagger reads."""

_WARM_UP = "Tagline reads this once, so that nobody waits for the first time."


def load_warm(folder: Path, *, device: str, precision: Precision = "auto") -> Tagger:
    """Load a model and let it work once.

    Raises:
        ModelNotFound: There is no such folder.
        ModelFolderError: It is damaged.
    """
    tagger = load(folder, device=device, precision=precision)
    warm_up(tagger)
    return tagger


def warm_up(tagger: Tagger) -> None:
    """Let a model work once."""
    if tagger.can_segment:
        tagger(_WARM_UP)
    else:
        tagger.tag([Document.from_words([_WARM_UP.split()])])


def measure_limits(tagger: Tagger, *, max_batch_tokens: int | None, batch_ms: float) -> BatchLimits:
    """How big the batches of a model may be on its device.

    Args:
        tagger: The model, warm.
        max_batch_tokens: What the operator says; None: what the device is fastest with, which is measured.
        batch_ms: Batches that take longer are not tried.
    """
    if max_batch_tokens is not None:
        return BatchLimits(max_batch_tokens * _CHARACTERS_PER_TOKEN, max_batch_tokens)
    (words,) = tagger.chunks(*Document.from_words([_WARM_UP.split()]))
    for_words = fastest_positions(tagger.prepare, words, seconds=batch_ms / 1000)
    if not tagger.can_segment:
        return BatchLimits(for_words, for_words)
    characters = next(tagger.read(_WARM_UP).chunks())
    return BatchLimits(fastest_positions(tagger.prepare_segmenting, characters, seconds=batch_ms / 1000), for_words)


def load_again(folder: Path, load_model: Callable[[Path], Tagger]) -> Tagger:
    """Load a model that a client asked for.

    Raises:
        RefusedModel: It cannot be loaded. It says what is wrong without where; the log has that.
    """
    try:
        return load_model(folder)
    except ModelNotFound:
        problem = "its folder is gone"
    except ModelError as error:
        problem, where = (
            (error.problem, error.folder) if isinstance(error, ModelFolderError) else (str(error), str(folder))
        )
        problem = problem.replace(f"{where}/", "").replace(where, "the folder")
    logger.warning("%s was not loaded: %s", folder, problem)
    raise RefusedModel(f"the old model goes on, for the new one is refused: {problem}")


def allowed_folder(asked: str, *, root: Path | None) -> Path:
    """The folder that a client asked for, which is below ``root`` wherever links lead.

    Raises:
        BadRequest: It is not, or there is no root. What there is elsewhere is not told.
    """
    if root is None:
        raise _bad_folder("this service takes no folder: it loads again from where the model came from")
    real_root = root.resolve()
    try:
        folder = (real_root / asked).resolve()
        allowed = folder.is_relative_to(real_root) and folder.is_dir()
    except (OSError, ValueError):  # too long for a path, or with a null character
        allowed = False
    if not allowed:
        raise _bad_folder("expected a folder below the root of this service's models")
    return folder


def _bad_folder(problem: str) -> BadRequest:
    return BadRequest(f"folder: {problem}", [FieldError("folder", problem)])
