"""Tools: what handlers work with, made once."""

from dataclasses import dataclass

from service.metrics import Metrics
from service.registry import Registry
from service.schemas import TagRequest
from service.settings import Settings
from service.siblings import Siblings


@dataclass(frozen=True, slots=True)
class Tools:
    """They are one dependency, for several would be resolved by tasks of their own in every request."""

    settings: Settings
    registry: Registry
    metrics: Metrics
    siblings: Siblings
    tag_request: type[TagRequest]
