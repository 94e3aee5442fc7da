import shutil
from pathlib import Path

import pytest

from taggers.errors import FormatError
from taggers.formats.columns import read_columns_file
from taggers.formats.conllu import read_conllu_file
from taggers.formats.files import read_file


def test_the_suffix_tells_the_format(fixtures):
    assert read_file(fixtures / "mixed.conllu") == read_conllu_file(fixtures / "mixed.conllu")
    assert read_file(fixtures / "numbered.iob2") == read_columns_file(fixtures / "numbered.iob2")


def test_a_format_that_is_told_wins_over_the_suffix(fixtures, tmp_path):
    path = shutil.copy(fixtures / "mixed.conllu", tmp_path / "mixed.txt")
    assert read_file(Path(path), format="conllu") == read_conllu_file(fixtures / "mixed.conllu")
    with pytest.raises(FormatError, match=r"mixed\.txt:\d+: expected"):
        read_file(Path(path))


def test_a_suffix_that_tells_nothing_is_an_error_with_those_that_do(tmp_path):
    with pytest.raises(FormatError, match=r"suffix '\.docx'; expected \.conllu, "):
        read_file(tmp_path / "a.docx")
