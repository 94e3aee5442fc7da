"""Writing CoNLL-U: what was read goes out as it came in, what was predicted gets the columns it lacks.

A sentence that has a ``misc`` column was read from CoNLL-U and keeps its comments, MISC and multi-word tokens to the
byte. Any other gets ``# sent_id``, ``# text`` and, in MISC, the white space from which a reader rebuilds the text.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from taggers.document import NO_VALUE, Document, Sentence
from taggers.formats.comments import comment_value, one_line, with_document
from taggers.formats.conllu_rows import COLUMNS
from taggers.formats.misc import Spacing, read_layers, write_layers, write_spacing
from taggers.spans import Scheme, encode_spans


def write_conllu(documents: Iterable[Document], *, first: int = 0) -> Iterator[str]:
    """CoNLL-U, one chunk a document; sentences and documents without a word cannot be written and are left out.

    Columns that a sentence lacks are ``_``. Tabs and line ends inside a form become spaces, with the surface in
    ``SpacesInToken``.

    Args:
        documents: What to write.
        first: How many documents of the file come before these; it names the sentences of documents without an id.

    Raises:
        ValueError: Spans of one layer overlap or leave their sentence.
    """
    for number, document in enumerate(documents, first):
        blocks: list[str] = []
        for sentence in _completed(document, number):
            comments = sentence.comments if blocks else with_document(sentence.comments, document.id, first=number == 0)
            blocks.append("\n".join([*comments, *_rows(sentence), "", ""]))
        yield "".join(blocks)


def _rows(sentence: Sentence) -> Iterator[str]:
    """The lines of words, multi-word tokens and empty nodes."""
    absent = (NO_VALUE,) * len(sentence.words)
    *columns, misc = (sentence.tags.get(name, absent) for name in COLUMNS)
    extra: dict[int, list[str]] = {}
    for node in sentence.empty_nodes:
        extra.setdefault(node.after, []).append("\t".join((f"{node.after}.{node.index}", *node.columns)))
    for token in sentence.multiword:
        cells = (f"{token.first + 1}-{token.stop}", one_line(token.surface), *token.columns)
        extra.setdefault(token.first, []).append("\t".join(cells))
    rows = zip(sentence.words, *columns, _with_layers(sentence, misc), strict=True)
    for index, row in enumerate(rows):
        if index in extra:
            yield from extra[index]
        yield "\t".join((str(index + 1), *map(one_line, row)))
    yield from extra.get(len(sentence.words), ())


def _with_layers(sentence: Sentence, misc: tuple[str, ...]) -> Iterable[str]:
    """MISC with the sentence's span layers; those that it holds already stay as they are written."""
    held = read_layers(misc)
    changed = {}
    for layer, spans in sentence.spans.items():
        if [(span.start, span.stop, span.label) for span in spans] != [
            (span.start, span.stop, span.label) for span in held.get(layer, ())
        ]:
            changed[layer] = encode_spans(spans, len(sentence.words), Scheme.BIO)
    return write_layers(misc, changed) if changed else misc


def _completed(document: Document, number: int) -> list[Sentence]:
    """The sentences that have words, each with a MISC column and the comments that CoNLL-U demands."""
    sentences = [sentence for sentence in document if sentence.words]
    if all("misc" in sentence.tags for sentence in sentences):
        return sentences
    starts = [start for sentence in sentences for start, _, _ in _surface_tokens(sentence)]
    following = iter([*starts[1:], None])
    before = document.text[: starts[0]]
    completed = []
    for index, sentence in enumerate(sentences, 1):
        misc = [NO_VALUE] * len(sentence.words)
        multiword = list(sentence.multiword)
        for start, end, (first, which) in _surface_tokens(sentence):
            form = sentence.words[first] if which is None else multiword[which].surface
            value = write_spacing(_spacing(document.text, before, (start, end), next(following), form))
            before = ""
            if which is None:
                misc[first] = value
            else:
                multiword[which] = replace(multiword[which], columns=(*multiword[which].columns[:-1], value))
        if "misc" in sentence.tags:
            completed.append(sentence)
            continue
        sentence_id = f"{number + 1 if document.id is None else document.id}-{index}"
        comments = _described(sentence, sentence_id, document.text)
        annotated = sentence.annotated(tags={"misc": tuple(misc)})
        completed.append(replace(annotated, multiword=tuple(multiword), comments=comments))
    return completed


def _surface_tokens(sentence: Sentence) -> Iterator[tuple[int, int, tuple[int, int | None]]]:
    """The tokens as they stand in the text: start, end, and (first word, index of the multi-word token or None)."""
    word = 0
    for index, token in enumerate(sentence.multiword):
        yield from ((*sentence.offsets[at], (at, None)) for at in range(word, token.first))
        yield sentence.offsets[token.first][0], sentence.offsets[token.stop - 1][1], (token.first, index)
        word = token.stop
    yield from ((*sentence.offsets[at], (at, None)) for at in range(word, len(sentence.words)))


def _spacing(text: str, before: str, offsets: tuple[int, int], following: int | None, form: str) -> Spacing:
    """The white space of a token, where ``following`` is the start of the next one in the document."""
    start, end = offsets
    surface = text[start:end]
    within = None if surface == one_line(form) else surface
    if following is None:
        return Spacing(before, text[end:] or None, within)
    gap = text[end:following]
    return Spacing(before, None if gap == " " else gap, within)


def _described(sentence: Sentence, sentence_id: str, text: str) -> tuple[str, ...]:
    """The comments of a sentence with ``# sent_id`` and the true ``# text``."""
    comments = [comment for comment in sentence.comments if comment_value([comment], "text") is None]
    if comment_value(comments, "sent_id") is None:
        comments.append(f"# sent_id = {one_line(sentence_id)}")
    return (*comments, f"# text = {one_line(text[sentence.start : sentence.end])}")
