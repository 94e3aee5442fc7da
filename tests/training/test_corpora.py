"""Files of a data set -> documents: only what is asked for, renamed and repaired as the config says."""

from collections import Counter
from pathlib import Path

import pytest

from taggers.document import Document, Sentence, Span
from taggers.errors import ConfigError, FormatError
from taggers.formats.columns import ColumnReport, read_columns_file
from taggers.labels import LabelSet
from taggers.spans import Scheme, span_tags
from taggers.tasks import Task
from training.config import DataConfig, DocumentChoice, read_recipe
from training.corpora import annotated_types, carried_tasks, name_layers, read_documents, span_labels


def layers_of(sentence: Sentence) -> frozenset[str]:
    return frozenset({*sentence.tags, *sentence.spans})


def spans_of(documents: list[Document]) -> list[tuple[int, int, str]]:
    return [(s.start, s.stop, s.label) for d in documents for sentence in d for s in sentence.spans["ner"]]


def test_only_the_tasks_of_the_set_are_kept(fixtures: Path) -> None:
    documents = read_documents(DataConfig(), ["letters.conllu"], fixtures, {"upos": "upos", "lemma": "lemma"})
    assert len(documents) == 3
    assert {layers_of(sentence) for document in documents for sentence in document} == {frozenset({"upos", "lemma"})}


def test_a_layer_takes_its_tasks_name(fixtures: Path) -> None:
    (first, *_) = read_documents(DataConfig(), ["letters.iob2"], fixtures, {"people": "ner"})
    assert first.sentences[0].spans.keys() == {"people"}


def test_a_column_that_is_blank_throughout_a_file_is_not_carried(tmp_path: Path) -> None:
    """Not so FEATS, in which ``_`` says that there are no features; nor a column with one value."""
    row = "{}\ta\t_\t{}\t{}\t_\t0\troot\t_\t_\n"
    (tmp_path / "x.conllu").write_text(row.format(1, "X", "_") + row.format(2, "_", "_") + "\n", encoding="utf-8")
    (tmp_path / "y.conllu").write_text(row.format(1, "X", "Y") + "\n", encoding="utf-8")
    layers = {"upos": "upos", "fine": "xpos", "feats": "feats", "lemma": "lemma"}
    first, second = read_documents(DataConfig(), ["x.conllu", "y.conllu"], tmp_path, layers)
    assert carried_tasks([first]) == {"upos", "feats"}
    assert carried_tasks([second]) == {"upos", "fine", "feats"}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [({}, {"PER", "LOC", "ORG"}), ({"ORG": "O"}, {"PER", "LOC"}), ({"ORG": "GROUP"}, {"PER", "LOC", "GROUP"})],
)
def test_span_labels_are_renamed_and_o_drops_them(fixtures: Path, labels: dict[str, str], expected: set[str]) -> None:
    documents = read_documents(DataConfig(labels=labels), ["letters.iob2"], fixtures, {"ner": "ner"})
    spans = [span for document in documents for sentence in document for span in sentence.spans["ner"]]
    assert {span.label for span in spans} == expected


def test_labels_may_change_places() -> None:
    (sentence,) = Document.from_words([["a", "b"]]).sentences
    document = Document("a b", (sentence.annotated(spans={"ner": (Span(0, 1, "A"), Span(1, 2, "B"))}),))
    (renamed,) = name_layers(document, {"ner": "ner"}, {"A": "B", "B": "A"})
    assert renamed.spans["ner"] == (Span(0, 1, "B"), Span(1, 2, "A"))


def test_an_absent_file_is_told_with_the_folder_of_the_corpora(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file: .*none\.conllu .*corpora = "):
        read_documents(DataConfig(), ["none.conllu"], tmp_path, {})


def test_a_malformed_file_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.conllu").write_text("1\tone\n", encoding="utf-8")
    with pytest.raises(FormatError, match=r"bad\.conllu:1: "):
        read_documents(DataConfig(), ["bad.conllu"], tmp_path, {})


# spans in pieces


@pytest.mark.parametrize(
    ("tags", "joined", "expected"),
    [
        ("@ B-PER ada B-PER", ["@"], [(0, 2, "PER")]),
        ("@ B-PER ada B-PER lovelace I-PER", ["@"], [(0, 3, "PER")]),
        ("@ B-PER ada B-PER @ B-PER bob B-PER", ["@"], [(0, 2, "PER"), (2, 4, "PER")]),
        ("ada B-PER bob B-PER", ["@"], [(0, 1, "PER"), (1, 2, "PER")]),
        ("@ B-PER bank B-ORG", ["@"], [(0, 1, "PER"), (1, 2, "ORG")]),
        ("@ B-PER x O ada B-PER", ["@"], [(0, 1, "PER"), (2, 3, "PER")]),
        ("at B-PER @ I-PER ada B-PER", ["@"], [(0, 2, "PER"), (2, 3, "PER")]),
        ("@ B-PER ada B-PER", [], [(0, 1, "PER"), (1, 2, "PER")]),
        ("@ B-person ada B-PER", ["@"], [(0, 2, "PER")]),  # renamed before
        ("# B-PER @ B-PER", ["@", "#"], [(0, 2, "PER")]),
    ],
)
def test_words_that_belong_to_the_span_behind(
    tmp_path: Path, tags: str, joined: list[str], expected: list[tuple[int, int, str]]
) -> None:
    pairs = tags.split()
    rows = [f"{word}\t{tag}\n" for word, tag in zip(pairs[::2], pairs[1::2], strict=True)]
    (tmp_path / "x.iob2").write_text("".join(rows), encoding="utf-8")
    data = DataConfig(labels={"person": "PER"}, join_after=tuple(joined))
    assert spans_of(read_documents(data, ["x.iob2"], tmp_path, {"ner": "ner"})) == expected


# documents that a table chooses


@pytest.fixture
def licensed(tmp_path: Path) -> Path:
    """Three documents and a table of their licenses."""
    text = "".join(f"# newdoc id = {name}\n{name}\tB-PER\n\n" for name in ("ada", "bob", "eve"))
    (tmp_path / "x.iob2").write_text(text, encoding="utf-8")
    (tmp_path / "docs.tsv").write_text(
        "doc\tlicense\tship\nada\tPD\tyes\nbob\tNC\tno\neve\tBY\tyes\n", encoding="utf-8"
    )
    return tmp_path


def read_chosen(folder: Path, column: str = "ship", value: str = "yes", table: str = "docs.tsv") -> list[str | None]:
    data = DataConfig(documents=DocumentChoice(table=table, column=column, value=value))
    return [document.id for document in read_documents(data, ["x.iob2"], folder, {"ner": "ner"})]


def test_only_the_documents_that_the_table_chooses_are_read(licensed: Path) -> None:
    assert read_chosen(licensed) == ["ada", "eve"]
    assert read_chosen(licensed, "license", "NC") == ["bob"]
    assert read_chosen(licensed, "doc", "eve") == ["eve"]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("ships", "yes", r"docs\.tsv: no column 'ships'; there are: doc, license, ship"),
        ("ship", "Yes", r"docs\.tsv: no document has 'Yes' in the column 'ship'"),
    ],
)
def test_a_choice_that_the_table_does_not_know(licensed: Path, column: str, value: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_chosen(licensed, column, value)


def test_a_document_without_a_row_is_neither_read_nor_passed_over(licensed: Path) -> None:
    (licensed / "docs.tsv").write_text("doc\tship\nada\tyes\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"x\.iob2: the table of documents has no row for the document 'bob'"):
        read_chosen(licensed)
    (licensed / "x.iob2").write_text("ada\tB-PER\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="no row for the document None"):
        read_chosen(licensed)


def test_a_table_that_is_malformed_or_absent(licensed: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file: .*none\.tsv"):
        read_chosen(licensed, table="none.tsv")
    (licensed / "docs.tsv").write_text("doc\tship\nada\tyes\nbob\n", encoding="utf-8")
    with pytest.raises(FormatError, match=r"docs\.tsv:3: expected 2 tab-separated columns, found 1"):
        read_chosen(licensed)
    (licensed / "docs.tsv").write_bytes(b"doc\tship\r\nada\tyes\r\n\xff\tno\r\n")
    with pytest.raises(FormatError, match=r"docs\.tsv:3: "):
        read_chosen(licensed)
    (licensed / "docs.tsv").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="no column 'ship'"):
        read_chosen(licensed)


# which labels are scored


def test_labels_are_scored_but_for_those_that_are_not_annotated() -> None:
    task = Task("ner", "span", "ner", LabelSet(span_tags(["PER", "MISC"], Scheme.BIO)))
    tokens = Task("upos", "token", "upos", LabelSet(["B-VERB", "NOUN"]))
    (sentence,) = Document.from_words([["a", "b"]]).sentences
    gold = [Document("a b", (sentence.annotated(spans={"ner": (Span(0, 1, "LOC"),)}),))]
    assert span_labels(gold) == {"LOC"}
    assert annotated_types(gold, [task, tokens], ()) is None
    assert annotated_types(gold, [task, tokens], ["MISC"]) == ("LOC", "PER")  # a label unknown to the model counts


# the corpora


@pytest.mark.corpora
def test_stray_tags_of_universal_ner_stand_where_no_span_goes_on(corpora: Path) -> None:
    """``B-O`` is on the last token of 540 sentences, so that an ``I-X`` follows none of them and each is ``O``."""
    path = corpora / "ner" / "uner_en_ewt" / "train.iob2"
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("# ")]
    after = Counter(rows[i + 1][2:3] == [] for i, row in enumerate(rows) if row[2:3] == ["B-O"])
    assert after == {True: 540}
    report = ColumnReport()
    documents = read_columns_file(path, report=report)
    assert report.by_kind == {"B-O read as O": 540}
    spans = Counter(span.label for document in documents for sentence in document for span in sentence.spans["ner"])
    assert spans == {"PER": 2873, "LOC": 2698, "ORG": 1434, "OTH": 888}


@pytest.mark.corpora
def test_of_gum_only_the_documents_that_may_be_shipped_are_read(corpora: Path) -> None:
    choice = DocumentChoice(table="ud/en_gum/docs.tsv", column="ship", value="yes")
    documents = read_documents(DataConfig(documents=choice), ["ud/en_gum/dev.conllu"], corpora, {"upos": "upos"})
    assert sum(len(document.sentences) for document in documents) == 1022
    genres = {str(document.id).split("_")[1] for document in documents}
    assert not genres & {"whow", "fiction", "essay", "letter", "podcast"}


@pytest.mark.corpora
def test_mentions_of_the_broad_twitter_corpus_are_joined(corpora: Path) -> None:
    """In section e, 29 of 325 spans are the ``@`` of the span behind."""
    found = [
        len(spans_of(read_documents(DataConfig(join_after=words), ["ner/btc/e.conll"], corpora, {"ner": "ner"})))
        for words in ((), ("@",))
    ]
    assert found == [325, 296]


@pytest.mark.corpora
def test_the_mix_of_the_default_model_has_four_labels_and_no_other(corpora: Path) -> None:
    recipe = read_recipe(Path(__file__).parents[2] / "training" / "configs" / "en.toml")
    counts: Counter[str] = Counter()
    for data in recipe.data:
        if "ner" in data.tasks:
            documents = read_documents(data, data.train, corpora, {"ner": "ner"})
            counts.update(label for *_, label in spans_of(documents))
    assert counts == {"PER": 16758, "LOC": 12828, "ORG": 12507, "MISC": 8753}
