"""An input can be read again from behind any of its chunks."""

from taggers.bulk import chunks
from taggers.bulk.input import Input
from taggers.bulk.pieces import ReadOptions
from taggers.bulk.sources import find_sources


def test_chunks_behind_a_place_are_those_that_were_there(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_RECORDS", 2)
    (tmp_path / "a.txt").write_text("Ada\nBabbage\nZoe\n")
    (tmp_path / "b.txt").write_text("Lyon\nParis\n")
    read = Input(find_sources([str(tmp_path)]), ReadOptions(per_line=True))
    found = list(read)
    assert [len(chunk.items) for chunk in found] == [2, 2, 1]
    for index, chunk in enumerate(found):
        assert list(read.behind(chunk.end)) == found[index + 1 :]
