"""What must be true of the offsets of every answer."""

from itertools import chain

from service.answers import TagAnswer


def check_offsets(answer: TagAnswer, texts: list[str], unit: str) -> None:
    """Every offset cuts out what it says, and no character but white space is lost."""
    encoding, width = {"codepoint": ("utf-32-le", 4), "utf16": ("utf-16-le", 2), "utf8": ("utf-8", 1)}[unit]
    assert [document.text for document in answer.documents] == texts
    for document in answer.documents:
        encoded = document.text.encode(encoding)

        def cut(start: int, end: int, encoded: bytes = encoded) -> str:
            return encoded[start * width : end * width].decode(encoding)

        expanded = {
            (index, word)
            for index, sentence in enumerate(document.sentences)
            for multiword in sentence.multiword or ()
            for word in range(*multiword.tokens)
        }
        end = 0
        for index, sentence in enumerate(document.sentences):
            assert end <= sentence.start < sentence.end
            for position, token in enumerate(sentence.tokens):
                if (index, position) not in expanded:
                    assert cut(token.start, token.end) == token.text
                assert not cut(end, max(end, token.start)).strip()
                end = max(end, token.end)
            assert end == sentence.end
        assert not cut(end, len(encoded) // width).strip()
        for span in chain.from_iterable(document.spans.values()):
            assert cut(span.start, span.end) == span.text
            words = document.sentences[span.sentence].tokens[slice(*span.tokens)]
            assert (words[0].start, words[-1].end) == (span.start, span.end)
