"""The models of answers against what is really made: nothing more, and every column that a model may have."""

import pytest
from pydantic import ValidationError

from service.answers import AnsweredDocument, Token
from taggers.document import Document, Span
from taggers.formats.answer import document_to_json
from taggers.formats.conllu import read_conllu

CONLLU = """\
# newdoc id = d
# text = du
1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_
1\tde\tde\tADP\t_\t_\t0\troot\t_\t_
2\tle\tle\tDET\t_\tGender=Masc|Number=Sing\t1\tdet\t_\tNE=B-X
2.1\tx\t_\t_\t_\t_\t_\t_\t_\t_
"""


def test_all_that_a_document_may_hold_is_described() -> None:
    (document,) = read_conllu(CONLLU.splitlines())
    found = AnsweredDocument.model_validate(document_to_json(document))
    (sentence,) = found.sentences
    assert sentence.tokens[1].feats == {"Gender": "Masc", "Number": "Sing"}
    assert sentence.tokens[0].model_extra == {"head": "0", "deprel": "root", "deps": "_", "misc": "_"}
    assert [token.text for token in sentence.multiword or ()] == ["du"]
    assert [node.after for node in sentence.empty_nodes or ()] == [2]
    assert sentence.comments == ["# newdoc id = d", "# text = du"]
    assert [span.text for span in found.spans["ner"]] == ["du"]


def test_what_is_not_described_would_be_seen() -> None:
    document = Document.from_words([["a"]])
    (sentence,) = document.sentences
    made = document_to_json(Document(document.text, (sentence.annotated(spans={"ner": (Span(0, 1, "X"),)}),)))
    AnsweredDocument.model_validate(made)
    for place in (made, made["sentences"][0], made["spans"]["ner"][0]):
        place["more"] = 1
        with pytest.raises(ValidationError, match="more"):
            AnsweredDocument.model_validate(made)
        del place["more"]
    assert Token.model_validate({"text": "a", "start": 0, "end": 1, "chunk": "B-NP"}).model_extra == {"chunk": "B-NP"}
