"""Whole jobs: killed at ten random moments and resumed they give what an uninterrupted one gives, in every format."""

import gzip
import json
import os
import random
import resource
import shutil
import signal
import time
from codecs import BOM_UTF8
from pathlib import Path

import pytest

from taggers.bulk import chunks
from taggers.bulk.compression import decompressed, split_suffix
from taggers.bulk.job import describe_failures, run_job
from taggers.bulk.journal import Commit
from taggers.bulk.pieces import ReadOptions
from taggers.bulk.rendering import choose_output
from taggers.bulk.sources import find_sources
from taggers.bulk.tagging import ChunkTagger
from taggers.bulk.work import Work
from taggers.errors import FormatError, TaglineError
from tests.tiny import tiny_folder


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    return str(tiny_folder(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture(autouse=True)
def inputs(tmp_path, monkeypatch) -> Path:
    """Some 30 chunks of small documents in files of several formats, some of them bad."""
    monkeypatch.setattr(chunks, "CHUNK_RECORDS", 20)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "in"
    folder.mkdir()
    rows = [{"id": f"j{n}", "text": f"Ada wrote letter {n}." if n % 10 else n, "n": n} for n in range(200)]
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (folder / "a.jsonl").write_bytes(lines)
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(lines.replace(b'"j', b'"z'))[:-20])
    (folder / "c.csv").write_text("text,stars\n" + "".join(f'"Zoe,\n{n}",{n % 5}\n' for n in range(150)))
    for number in range(40):
        (folder / f"d{number}.txt").write_text(f"Babbage {number}\r\nin London.")
    return tmp_path


def job(model: str, target: str, *, resume: bool = False, tasks: tuple[str, ...] = ("upos", "ner")) -> Commit:
    work = Work(model, ReadOptions(), choose_output(Path(target), None, title="t"), tasks=tasks)
    return run_job(find_sources(["in"]), work, Path(target), workers=1, resume=resume)


def in_child(model: str, target: str) -> int:
    """Begin a job or go on with it in another process; its id."""
    child = os.fork()
    if child == 0:
        try:
            job(model, target, resume=True)
        finally:
            os._exit(0)
    return child


def begin_and_be_killed(model: str, target: str) -> None:
    """Begin a job in another process, which is killed when five chunks are done."""
    call = ChunkTagger.__call__

    def be_killed(self, chunk):
        if chunk.first == 100:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(self, chunk)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ChunkTagger, "__call__", be_killed)
        child = in_child(model, target)
    assert os.waitpid(child, 0) == (child, signal.SIGKILL)


def ended(child: int) -> bool:
    return os.waitpid(child, os.WNOHANG) != (0, 0)


def size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # not yet, or not any more
        return 0


@pytest.mark.parametrize("target", ["out.jsonl", "out.jsonl.gz", "out.parquet", "out.html", "out.conllu"])
def test_killed_at_ten_random_moments_and_resumed_it_gives_the_same(target, model) -> None:
    whole = job(model, f"whole-{target}")
    assert whole.records > 500

    generator = random.Random(target)  # the moments differ in each run all the same: the clock has its say
    journal, out = Path(f"{target}.journal"), Path(target)
    for _ in range(10):
        child = in_child(model, target)
        enough = size(journal) + generator.randrange(700)
        while not ended(child):
            if size(journal) >= enough:
                time.sleep(generator.random() * 0.02)
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                break
            time.sleep(0.001)  # or it would take the core that the job is to have
        assert not out.exists() or out.read_bytes() == Path(f"whole-{target}").read_bytes()
        if out.exists() and not journal.exists():
            break
    else:
        assert job(model, target, resume=True) == whole
    assert out.read_bytes() == Path(f"whole-{target}").read_bytes()
    failures = Path(f"{target}.errors.jsonl").read_text()
    assert failures == Path(f"whole-{target}.errors.jsonl").read_text()
    assert failures.count("\n") == whole.failures
    assert sorted(path.name for path in Path().iterdir() if path.name.startswith("out")) == [
        target,
        f"{target}.errors.jsonl",
    ]


def test_bad_records_are_named_and_the_others_tagged(model) -> None:
    done = job(model, "out.jsonl")
    rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    failures = [json.loads(line) for line in Path("out.jsonl.errors.jsonl").read_text().splitlines()]
    assert (len(rows), len(failures)) == (done.documents, done.failures)
    assert failures[1] == {"place": "in/a.jsonl:11", "reason": "text: expected a string, found 10"}
    assert failures[-1]["place"].startswith("in/b.jsonl.gz:")
    assert [row["n"] for row in rows[:180]] == [n for n in range(200) if n % 10]
    assert [row["stars"] for row in rows if "stars" in row] == [f"{n % 5}" for n in range(150)]
    assert [row["id"] for row in rows[-2:]] == ["in/d8.txt", "in/d9.txt"]
    assert describe_failures(done, Path("out.jsonl")) == (
        f"{done.failures} of {done.records} documents failed, named in out.jsonl.errors.jsonl"
    )


def test_interrupt_keeps_what_was_done_and_says_so(model, capsys) -> None:
    call = ChunkTagger.__call__

    def interrupted(self, chunk):
        if chunk.first == 100:
            signal.raise_signal(signal.SIGINT)
        return call(self, chunk)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ChunkTagger, "__call__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            job(model, "out.jsonl")
    assert "tagline: interrupted; 100 documents done so far stay in " in capsys.readouterr().err
    assert Path("out.jsonl.part").read_bytes().count(b"\n") == 90
    job(model, "out.jsonl", resume=True)
    job(model, "whole.jsonl")
    assert Path("out.jsonl").read_bytes() == Path("whole.jsonl").read_bytes()


def test_full_disk_is_one_line_and_the_job_goes_on_when_there_is_room(model) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, before[1]))
    try:
        with pytest.raises(TaglineError) as caught:
            job(model, "out.jsonl")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value).startswith(f"{Path('out.jsonl.part').resolve()}: File too large; ")
    assert str(caught.value).endswith(
        "documents done so far stay in {}: --resume goes on from there".format(Path("out.jsonl.part").resolve())
    )
    job(model, "out.jsonl", resume=True)
    job(model, "whole.jsonl")
    assert Path("out.jsonl").read_bytes() == Path("whole.jsonl").read_bytes()


def test_other_options_or_changed_input_do_not_go_on_with_it(model) -> None:
    begin_and_be_killed(model, "out.jsonl")
    with pytest.raises(TaglineError, match="its tasks is not the one asked for"):
        job(model, "out.jsonl", resume=True, tasks=("upos",))
    Path("in/a.jsonl").write_text('{"text": "changed"}\n')
    with pytest.raises(TaglineError, match="its input is not the one asked for"):
        job(model, "out.jsonl", resume=True)


def test_what_cannot_begin_leaves_nothing(model) -> None:
    with pytest.raises(OSError, match="No such file") as caught:
        job(model, "no/folder/out.jsonl")
    assert "no/folder/out.jsonl." in caught.value.filename
    with pytest.raises(TaglineError, match="unknown task"):
        job(model, "out.jsonl", tasks=("nope",))
    assert [path.name for path in Path().iterdir()] == ["in"]


def test_another_model_of_the_same_name_does_not_go_on_with_it(model, tmp_path) -> None:
    changing = shutil.copytree(model, tmp_path / "changing")
    begin_and_be_killed(str(changing), "out.jsonl")
    tiny_folder(changing, "bilstm")
    with pytest.raises(TaglineError, match="its model is not the one asked for"):
        job(str(changing), "out.jsonl", resume=True)


def test_file_without_a_document_ends_nothing(model) -> None:
    for name, content in (("1.jsonl", b'{"text": "Ada"}\n'), ("2.conllu", BOM_UTF8 + b"\n"), ("3.txt", b"Zoe")):
        Path(name).write_bytes(content)
    work = Work(model, ReadOptions(), choose_output(Path("out.jsonl"), None, title="t"))
    done = run_job(find_sources(["1.jsonl", "2.conllu", "3.txt"]), work, Path("out.jsonl"), workers=1)
    assert (done.documents, done.failures) == (2, 0)


@pytest.mark.parametrize("name", ["out.html.gz", "out.html.zst", "out.jsonl.gz", "out.jsonl.zst"])
@pytest.mark.parametrize("text", ["", '{"text": "Ada"}\n'])
def test_compressed_output_is_compressed_as_a_whole(name, text, model) -> None:
    Path("some.jsonl").write_text(text)
    target = Path(name)
    work = Work(model, ReadOptions(), choose_output(target, None, title="t"))
    run_job(find_sources(["some.jsonl"]), work, target, workers=1)
    assert target.stat().st_size
    _, compression = split_suffix(name)
    with target.open("rb") as raw:
        content = decompressed(raw, compression).read()
    assert content.startswith(b"<!doctype html>" if "html" in name else text[:1].encode())
    assert content.endswith(b"</html>\n" if "html" in name else text[-1:].encode())


def test_lone_input_that_is_none_leaves_an_older_output_as_it_is(model) -> None:
    Path("out.jsonl").write_text("dear\n")
    Path("a.csv").write_text("body,stars\nx,1\n")
    work = Work(model, ReadOptions(), choose_output(Path("out.jsonl"), None, title="t"))
    with pytest.raises(FormatError, match=r"^a.csv:1: expected a column 'text', found the columns body, stars$"):
        run_job(find_sources(["a.csv"]), work, Path("out.jsonl"), workers=1)
    assert Path("out.jsonl").read_text() == "dear\n"
    assert not Path("out.jsonl.errors.jsonl").exists()
