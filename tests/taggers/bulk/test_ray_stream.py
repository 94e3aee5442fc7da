"""A real Ray cluster: the same answers in the same order, with workers killed and a machine lost on the way."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from taggers.bulk import chunks
from taggers.bulk.input import Input
from taggers.bulk.job import run_job
from taggers.bulk.output import failures_beside
from taggers.bulk.pieces import ReadOptions
from taggers.bulk.pool_watch import PoolFailure
from taggers.bulk.ray_engine import RayEngine, open_ray
from taggers.bulk.rendering import OutputOptions, choose_output
from taggers.bulk.sources import find_sources
from taggers.bulk.work import Work
from taggers.bulk.workers import open_workers
from taggers.errors import TaglineError
from tests.ray_cluster import FILTERS, small_cluster, workers_of
from tests.tiny import tiny_folder
from tests.waiting import until

pytestmark = FILTERS


@pytest.fixture(scope="module")
def cluster():
    with small_cluster() as started, open_ray(started.address):
        yield started


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Work:
    folder = tiny_folder(tmp_path_factory.mktemp("models") / "tiny")
    return Work(str(folder), ReadOptions(), OutputOptions("jsonl"), device="cpu")


@pytest.fixture
def rows(tmp_path, monkeypatch) -> Path:
    """Some 30 chunks of small documents, some of them bad."""
    monkeypatch.setattr(chunks, "CHUNK_RECORDS", 20)
    path = tmp_path / "in.jsonl"
    lines = [{"id": f"j{n}", "text": f"Ada wrote letter {n}." if n % 10 else n, "n": n} for n in range(600)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_workers_that_are_killed_and_a_machine_that_is_lost_change_nothing(cluster, work, rows, monkeypatch) -> None:
    from taggers.bulk import ray_stream

    monkeypatch.setattr(ray_stream, "PATIENCE_S", 10.0)  # in which a worker can start, or three executions soon fail
    read = Input(find_sources([str(rows)]), work.reading)
    with open_workers(work, count=1) as tag_chunks:
        expected = list(tag_chunks(read))

    second = cluster.add_node(num_cpus=1)
    with RayEngine().open_workers(work, count=2, size=None) as tag_input:
        answers = tag_input(read)
        found = [next(answers)]
        killed = until(lambda: workers_of(cluster.head_node))  # the first answer may be the other machine's
        os.kill(killed[0], signal.SIGKILL)
        found += [next(answers) for _ in range(8)]
        cluster.remove_node(second, allow_graceful=False)
        found += answers
    assert found == expected


@pytest.mark.parametrize(("name", "target"), [("in.parquet", "out.conllu"), ("in.conllu", "out.parquet")])
def test_what_the_cluster_reads_gives_the_same_files(name, target, cluster, work, tmp_path) -> None:
    given, local, there = tmp_path / name, tmp_path / f"local-{target}", tmp_path / f"there-{target}"
    if name == "in.parquet":
        texts = [f"Ada wrote letter {n}." if n % 100 else None for n in range(2_100)]
        pyarrow.parquet.write_table(pyarrow.table({"text": texts, "n": range(2_100)}), given)
    else:
        word = "\t".join(["1", "Ada", *"________"])
        given.write_text("".join(f"# newdoc id = {n}\n{word if n % 100 else 'bad'}\n\n" for n in range(2_100)))

    job = replace(work, output=choose_output(local, None, title="t"), tasks=("upos", "ner"))
    expected = run_job(find_sources([f"file://{given}"]), job, local, workers=1)
    sources = RayEngine().find_sources([f"file://{given}"], format="auto", exclude=())
    assert run_job(sources, job, there, workers=1, engine=RayEngine()) == expected
    assert (expected.documents, expected.failures) == (2_079, 21)
    assert there.read_bytes() == local.read_bytes()
    assert failures_beside(there).read_bytes() == failures_beside(local).read_bytes()


def test_address_that_the_cluster_does_not_find_is_told_as_here(cluster, tmp_path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        RayEngine().find_sources([f"file://{tmp_path}/none.jsonl"], format="auto", exclude=())
    assert caught.value.filename == f"file://{tmp_path}/none.jsonl"
    with pytest.raises(TaglineError, match="the suffix tells no format"):
        RayEngine().find_sources([f"file://{tmp_path}/none.zip"], format="auto", exclude=())


def test_lone_address_that_is_no_input_leaves_nothing(cluster, work, tmp_path) -> None:
    (tmp_path / "a.csv").write_text("body,stars\nx,1\n")
    sources = RayEngine().find_sources([f"file://{tmp_path}/a.csv"], format="auto", exclude=())
    with pytest.raises(TaglineError, match=r"a.csv:1: expected a column 'text', found the columns body, stars$"):
        run_job(sources, work, tmp_path / "out.jsonl", workers=1, engine=RayEngine())
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_bundled_model_comes_before_a_folder_of_its_name(cluster, work, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "en-cnn").mkdir()
    (tmp_path / "one.txt").write_text("Ada wrote to Babbage.")
    job = replace(work, model="en-cnn")
    done = run_job(find_sources(["one.txt"]), job, tmp_path / "out.jsonl", workers=1, engine=RayEngine())
    assert done.documents == 1


def test_work_that_the_workers_refuse_is_one_line_and_leaves_nothing(cluster, work, rows, tmp_path) -> None:
    job = replace(work, model="nope")
    with pytest.raises(TaglineError, match=r"^unknown model 'nope'.* \(on the cluster's machine [^)]+\)$"):
        run_job(find_sources([str(rows)]), job, tmp_path / "out.jsonl", workers=1, engine=RayEngine())
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_cluster_without_room_is_told_of(cluster, work, rows, monkeypatch) -> None:
    from taggers.bulk import ray_stream

    monkeypatch.setattr(ray_stream, "PATIENCE_S", 0.1)

    def stop(said: str, **_: object) -> None:
        raise PoolFailure(said)

    monkeypatch.setattr(ray_stream, "print", stop, raising=False)
    with (
        pytest.raises(TaglineError, match=r"no worker has started yet; each needs 1 CPU and 0.25 GPU, .* 0 of 0 GPUs"),
        RayEngine().open_workers(replace(work, device="cuda"), count=1, size=None) as tag_input,
    ):
        list(tag_input(Input(find_sources([str(rows)]), work.reading)))


def test_devices_are_chosen_by_the_cluster(cluster, work) -> None:
    with (
        pytest.raises(TaglineError, match="device cuda:1: on a cluster it is Ray who chooses"),
        RayEngine().open_workers(replace(work, device="cuda:1"), count=1, size=None),
    ):
        pass
