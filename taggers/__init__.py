"""Text to annotations: documents, codecs, networks and the pipeline; knows nothing of HTTP or training.

import taggers
tagger = taggers.load("en")
document = tagger("Ada Lovelace wrote to Babbage in London.")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taggers.pipeline import Tagger, load

__all__ = ["Tagger", "load"]


def __getattr__(name: str) -> Any:
    # Lazily, so that the codecs can be imported without torch.
    if name in __all__:
        from taggers import pipeline

        return getattr(pipeline, name)
    raise AttributeError(f"module 'taggers' has no attribute {name!r}")
