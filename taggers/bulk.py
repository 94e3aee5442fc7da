"""Any number of documents through a tagger: in groups that bound memory, in the order they came."""

from collections.abc import Iterable, Iterator, Sequence

from taggers.document import Document
from taggers.errors import TaglineError
from taggers.formats.raw import RawDocument
from taggers.pipeline import DEFAULT_MAX_BATCH_TOKENS, Tagger

_GROUP_DOCUMENTS = 256
_GROUP_CHARACTERS = 400_000


def tag_stream(
    tagger: Tagger,
    documents: Iterable[Document | RawDocument],
    *,
    tasks: Iterable[str] | None = None,
    max_batch_tokens: int = DEFAULT_MAX_BATCH_TOKENS,
) -> Iterator[Document]:
    """Tag a stream of documents, whether their words are known or not, and answer in order.

    A few hundred documents are read ahead and packed together, always the same ones, so that two runs give the same
    answers. Known words and annotation for other tasks are kept; spans of characters in unsegmented documents are not.

    Args:
        tagger: What fills the layers.
        documents: Where the reading of one fails, those before it are tagged first.
        tasks: Which to fill; None for all.
        max_batch_tokens: The most positions in one batch, padding included.

    Raises:
        UnknownTask: The model lacks a task; at once, before anything is read.
        ModelError: A text is unsegmented and the model has no segmenter.
    """
    wanted = tagger.check_tasks(tasks)

    def answers() -> Iterator[Document]:
        for group in _groups(documents):
            yield from tagger.tag(_segmented(tagger, group), tasks=wanted, max_batch_tokens=max_batch_tokens)

    return answers()


def _segmented(tagger: Tagger, group: Sequence[Document | RawDocument]) -> list[Document]:
    raw = [document for document in group if isinstance(document, RawDocument)]
    found = iter(tagger.segment([d.text for d in raw], ids=[d.id for d in raw]) if raw else ())
    return [next(found) if isinstance(document, RawDocument) else document for document in group]


def _groups(documents: Iterable[Document | RawDocument]) -> Iterator[list[Document | RawDocument]]:
    group: list[Document | RawDocument] = []
    characters = 0
    failure: Exception | None = None
    try:
        for document in documents:
            group.append(document)
            characters += len(document.text)
            if len(group) >= _GROUP_DOCUMENTS or characters >= _GROUP_CHARACTERS:
                yield group
                group, characters = [], 0
    except (TaglineError, OSError) as error:
        failure = error  # what was read before is still to be answered
    if group:
        yield group
    if failure is not None:
        raise failure
