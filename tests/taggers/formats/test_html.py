"""The highlighted page: every character of the text is there, spans carry their labels, nothing runs."""

from html.parser import HTMLParser

from hypothesis import given

from taggers.document import Document, MultiWord, Sentence, Span
from taggers.formats.html import write_html
from tests import strategies


class Page(HTMLParser):
    """The text of each paragraph without the labels, and the highlighted pieces with theirs."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.path: list[str] = []
        self.paragraphs: list[str] = []
        self.marks: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        assert tag not in {"script", "img", "iframe"}
        if tag != "meta":
            self.path.append(tag)
        if tag == "p":
            self.paragraphs.append("")
        if tag == "mark":
            self.marks.append(["", ""])

    def handle_endtag(self, tag: str) -> None:
        assert self.path.pop() == tag

    def handle_data(self, data: str) -> None:
        if "p" in self.path and "small" not in self.path:
            self.paragraphs[-1] += data
        if "mark" in self.path:
            self.marks[-1]["small" in self.path] += data


def page(*documents: Document) -> Page:
    parsed = Page()
    parsed.feed("".join(write_html(documents, title="<t>")))
    parsed.close()
    assert parsed.path == []
    return parsed


def test_spans_are_highlighted_with_their_labels() -> None:
    document = Document.from_words([["Ada", "Lovelace", "wrote"], ["<b>", "&amp;"]])
    sentences = (
        document.sentences[0].annotated(spans={"ner": (Span(0, 2, "PER"),)}),
        document.sentences[1].annotated(spans={"ner": (Span(0, 1, "<i>"),)}),
    )
    made = page(Document(document.text, sentences, "<id>"))
    assert made.paragraphs == ["Ada Lovelace wrote\n<b> &amp;"]
    assert made.marks == [["Ada Lovelace", "PER"], ["<b>", "<i>"]]


def test_two_spans_on_the_same_characters_show_one() -> None:
    sentence = Sentence(
        ("de", "le"),
        ((0, 2), (0, 2)),
        0,
        2,
        spans={"ner": (Span(0, 1, "A"), Span(1, 2, "B"))},
        multiword=(MultiWord(0, 2, "du"),),
    )
    assert page(Document("du", (sentence,))).marks == [["du", "A"]]


def test_line_ends_survive_a_parser_of_html() -> None:
    assert "a&#13;\nb&#13;" in "".join(write_html([Document("a\r\nb\r")], title="t"))


def test_without_layers_the_text_is_shown() -> None:
    made = page(Document("only <text>"), Document.from_words([["a"]]))
    assert made.paragraphs == ["only <text>", "a"]


@given(strategies.documents())
def test_text_is_all_there_whatever_it_holds(document: Document) -> None:
    made = page(document)
    assert made.paragraphs
    for paragraph in made.paragraphs:
        assert paragraph == document.text
