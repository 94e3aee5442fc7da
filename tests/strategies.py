"""Hypothesis strategies, each named for what it draws."""

import itertools

from hypothesis import strategies as st

from taggers.document import Document, MultiWord, Sentence, Span

# Few characters make overlaps and repeats likely: plain, astral, joined by ZWJ, combining, right-to-left, escaped.
_TINY = "abA1é\u0301\u200d😀👩ع字#|\\_=-"
_GAPS = [" ", " ", " ", "", "  ", "\n", "\t", "\r\n", "\u00a0", "\u3000", "\n\n", " \n "]
_LABELS = ["PER", "LOC", "ORG", "creative-work", "A|B"]
_COLUMNS = {
    "upos": ["NOUN", "X", "_"],
    "xpos": ["NN", ".", "-LRB-", "_"],
    "feats": ["_", "Number=Sing", "Case=Nom|Number=Plur"],
    "lemma": ["be", "a b", "_", "İ", "字"],
}


def texts(*, max_size=40):
    """Any text that is valid Unicode: line ends, controls, emoji, unassigned characters."""
    return st.text(st.characters(codec="utf-8") | st.sampled_from(_TINY + " \n\t"), max_size=max_size)


def words(*, max_size=6):
    """Forms: not empty, no white space at their edges, no tabs or line ends; a space inside is possible."""
    characters = st.sampled_from(_TINY + " ") | st.characters(codec="utf-8", exclude_characters="\t\n\r")
    return st.text(characters, min_size=1, max_size=max_size).filter(lambda word: word == word.strip())


def one_line_names():
    """Ids and the like: not empty, on one line, no white space at their edges."""
    return words(max_size=8)


@st.composite
def disjoint_spans(draw, length, *, scored=False):
    """Disjoint spans in order over ``length`` tokens."""
    edges = draw(st.lists(st.integers(0, length), unique=True, max_size=8).map(sorted))
    return tuple(
        Span(start, stop, draw(st.sampled_from(_LABELS)), draw(st.integers(0, 1000)) / 1000 if scored else None)
        for start, stop in itertools.pairwise(edges)
        if draw(st.booleans())
    )


@st.composite
def surface_tokens(draw):
    """One token as ``(surface, words)``: a word, a multi-word token made of its pieces, or one that is not."""
    forms = draw(st.lists(words(), min_size=1, max_size=3))
    if len(forms) > 1 and draw(st.booleans()):
        return draw(words()), tuple(forms)
    return "".join(forms), tuple(forms)


@st.composite
def documents(draw, *, min_sentences=0, scored=False):
    """Segmented documents with any white space between tokens, some columns, and spans in some layers."""
    columns = draw(st.lists(st.sampled_from(sorted(_COLUMNS)), unique=True))
    layers = draw(st.lists(st.sampled_from(["ner", "chunk"]), unique=True))
    text = draw(st.sampled_from(_GAPS))
    sentences = []
    for _ in range(draw(st.integers(min_sentences, 3))):
        forms, offsets, multiword = [], [], []
        start = len(text)
        for surface, members in draw(st.lists(surface_tokens(), min_size=1, max_size=4)):
            begin = len(text)
            text += surface
            end = len(text)
            if len(members) > 1:
                multiword.append(MultiWord(len(forms), len(forms) + len(members), surface))
            literal = "".join(members) == surface
            for member in members:
                offsets.append((begin, begin + len(member) if literal else end))
                begin += len(member) if literal else 0
            forms += members
            text += draw(st.sampled_from(_GAPS))
        sentences.append(
            Sentence(
                tuple(forms),
                tuple(offsets),
                start,
                end,
                tags={name: tuple(draw(st.sampled_from(_COLUMNS[name])) for _ in forms) for name in columns},
                spans={layer: draw(disjoint_spans(len(forms), scored=scored)) for layer in layers},
                multiword=tuple(multiword),
            )
        )
    return Document(text, tuple(sentences), draw(st.none() | one_line_names()))


def json_values():
    """A value of any type that may stand in JSON, large and small."""
    numbers = [0, 1, -1, 3, 2**31, 2**63, 10**30, 0.5, -1e308]
    return st.sampled_from([None, True, False, *numbers, "", "x", "O", "\x00", "cnn", [], {}, [1], ["a"], {"a": 1}])
