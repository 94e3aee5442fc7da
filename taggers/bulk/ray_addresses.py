"""Addresses that the cluster finds and reads: this machine may lack the way there, the rights, or fsspec's package."""

from collections.abc import Sequence
from dataclasses import replace

import ray

from taggers.bulk.elsewhere import place_of
from taggers.bulk.input import Input
from taggers.bulk.readers import look_into
from taggers.bulk.sources import InputFormat, Source, find_sources
from taggers.errors import TaglineError


def is_address(name: str) -> bool:
    """Whether a name is an address, not a file or standard input."""
    return "://" in name


def find_there(names: Sequence[str], format: InputFormat) -> tuple[Source, ...]:
    """The files that addresses stand for, as the cluster sees them: they can only be opened there, see ``reopened``.

    Raises:
        TaglineError: As of ``sources.find_sources``.
        OSError: A file is not there.
    """
    found = ray.get(ray.remote(_find).options(num_cpus=0).remote(tuple(names), format))
    if isinstance(found, str):
        raise TaglineError(found)
    if isinstance(found, OSError):
        raise found
    sources: tuple[Source, ...] = found
    return sources


def look_into_there(input: Input) -> None:
    """Go on unless the only address is no input, as the cluster sees it.

    Raises:
        TaglineError: As of ``readers.look_into``.
    """
    if reason := ray.get(ray.remote(_look_into).options(num_cpus=0).remote(input)):
        raise TaglineError(reason)


def reopened(input: Input) -> Input:
    """The same input with the file systems of this machine."""
    return replace(input, sources=tuple(replace(source, remote=place_of(source.name)) for source in input.sources))


def _find(names: Sequence[str], format: InputFormat) -> tuple[Source, ...] | str | OSError:
    # Exceptions go back as values: raised they would come with pages of traceback.
    try:
        return tuple(replace(source, remote=None) for source in find_sources(names, format=format))
    except TaglineError as error:
        return str(error)
    except OSError as error:
        return error


def _look_into(input: Input) -> str | None:
    try:
        look_into(reopened(input).sources, input.options)
    except TaglineError as error:
        return str(error)
    return None
