"""Tables for people: every word has its row, and no text can command the terminal."""

from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from taggers.document import Document, Span
from taggers.formats.terminal import write_table
from tests.strategies import documents


def table(document: Document, *, width: int = 200, color: bool = False) -> str:
    return "".join(write_table([document], width=width, color=color))


def test_rows_columns_and_rules() -> None:
    document = Document.from_words([["Ada", "wrote"], ["No"]], id="a/b.txt")
    first, second = document.sentences
    first = first.annotated(tags={"upos": ("PROPN", "VERB"), "feats": ("_", "Tense=Past")})
    first = first.annotated(spans={"ner": (Span(0, 1, "PER"),)})
    assert table(Document(document.text, (first, second), document.id)) == (
        "a/b.txt\n"
        "word    upos    feats        ner\n"
        "──────────────────────────────────\n"
        "Ada     PROPN                B-PER\n"
        "wrote   VERB    Tense=Past\n"
        "\n"
        "No\n"
        "\n"
    )


def test_long_cells_are_folded_into_the_width() -> None:
    document = Document.from_words([["x" * 50]])
    lines = table(document, width=20).splitlines()
    assert max(map(len, lines)) <= 20
    assert sum(line.count("x") for line in lines) == 50


def test_colors_are_for_terminals() -> None:
    document = Document.from_words([["Ada"]])
    assert "\x1b[" not in table(document)
    assert "\x1b[" in table(document, color=True)


@given(document=documents(), color=st.booleans())
def test_any_document_is_shown_and_only_our_own_escape_sequences_come_out(document, color) -> None:
    shown = Text.from_ansi(table(document, color=color)).plain if color else table(document)
    assert all(character.isprintable() or character == "\n" for character in shown)


def test_a_book_is_shown_in_pieces() -> None:
    document = Document.from_words([["word"]] * 120)
    chunks = list(write_table([document], width=80, color=False))
    assert len(chunks) == 3
    assert "".join(chunks).count("word\n") == 120 + 3
