"""The store on SQLite and on PostgreSQL: claims that exclude each other, commits that count once."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text

from service.errors import JobsUnavailable
from service.jobs.database import open_engine
from service.jobs.job import Input, Job, Order, PartDone
from service.jobs.store import ClaimLost, Store
from taggers.bulk.chunks import Position

ORDER = Order(
    "reviews.csv",
    "en",
    ("upos", "ner"),
    ("ner",),
    Input("csv", "gz", "body", "key", "s3://b/c", "v1"),
    bytes_total=1000,
)
KEEP_S = 3600.0


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    made = Store(url)
    yield made
    made.close()


def add(store: Store, *ids: str, owner: str = "") -> None:
    for id in ids:
        store.add(id, ORDER, owner=owner)


def claim(store: Store, holder: str = "h", *, lease_s: float = 60) -> Job | None:
    return store.claim(models=["en"], holder=holder, machine="m", lease_s=lease_s)


def must_claim(store: Store, holder: str = "h", *, lease_s: float = 60) -> Job:
    job = claim(store, holder, lease_s=lease_s)
    assert job is not None
    return job


def part(file: str, records: int) -> PartDone:
    return PartDone(file, Position(0, 10 * records, records, records), 9, 1, 50, 10 * records, 2.0)


def test_a_job_comes_back_as_it_was_added(store: Store) -> None:
    added = store.add("a", replace(ORDER, tasks=None, bytes_total=None), owner="")
    assert store.find("a") == added
    assert (added.state, added.order.tasks, added.order.input) == ("queued", None, ORDER.input)
    assert abs(added.created - time.time()) < 60
    assert (added.progress, added.words_per_s, added.seconds_left) == (None, None, None)
    assert store.find("b") is None


def test_each_owner_finds_its_own(store: Store) -> None:
    for id, owner in (("a", "one"), ("b", "one"), ("c", "two")):
        add(store, id, owner=owner)
        time.sleep(0.002)  # SQLite's clock counts milliseconds, and none of them is the newest of one
    assert store.find("a", owner="two") is None
    assert store.find("a", owner="one") is not None
    assert [job.id for job in store.newest(owner="one", limit=9)] == ["b", "a"]
    assert [job.id for job in store.newest(limit=2)] == ["c", "b"]


def test_the_oldest_is_claimed_first_and_by_one_alone(store: Store) -> None:
    add(store, "a", "b")
    first = must_claim(store)
    assert (first.id, first.state, first.attempts) == ("a", "running", 1)
    assert must_claim(store).id == "b"
    assert claim(store) is None


def test_a_job_for_another_model_waits_for_who_has_it(store: Store) -> None:
    store.add("a", replace(ORDER, model="d\u00e9 'x'"), owner="")
    add(store, "b", "c")
    assert must_claim(store).id == "b"
    assert store.wanted_models() == {"en", "d\u00e9 'x'"}
    assert must_claim(store).id == "c"
    assert claim(store) is None
    assert store.wanted_models() == {"d\u00e9 'x'"}
    assert store.claim(models=[], holder="h", machine="m", lease_s=60) is None
    found = store.claim(models=["x", "d\u00e9 'x'"], holder="h", machine="m", lease_s=0)
    assert found is not None
    assert found.id == "a"
    time.sleep(0.01)
    assert claim(store) is None  # nor is it taken over
    assert store.wanted_models() == {"d\u00e9 'x'"}


def test_an_odd_order_hinders_no_other(store: Store) -> None:
    store.add("a", replace(ORDER, input=replace(ORDER.input, text_field="\x00", id_field="\ud800")), owner="")
    add(store, "b")
    assert [must_claim(store).id for _ in range(2)] == ["a", "b"]


def test_a_table_of_before_is_given_the_column_of_the_model(url: str, store: Store) -> None:
    add(store, "a")
    store.close()
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE tagline_jobs DROP COLUMN model"))
    engine.dispose()
    later = Store(url)
    try:
        assert must_claim(later).id == "a"
        add(later, "b")
        assert must_claim(later).id == "b"
    finally:
        later.close()


def test_what_is_put_back_goes_on_where_it_is(store: Store) -> None:
    add(store, "a")
    job = must_claim(store)
    store.commit(job, 0, part("x", 10))
    store.put_back(job)
    again = must_claim(store)
    assert (again.chunks, again.attempts) == (1, 1)
    store.put_back(job)  # by somebody who has lost it
    assert claim(store) is None


def test_two_stores_that_race_share_out_the_jobs(url: str) -> None:
    stores = [Store(url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(Store.ids, stores))  # all of them make the tables at once
    ids = [f"{index:02}" for index in range(24)]
    add(stores[0], *ids)
    start = threading.Barrier(4)

    def claim_all(store: Store) -> list[str]:
        start.wait()
        found = []
        while job := claim(store):
            found.append(job.id)
        return found

    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(claim_all, stores))
    assert sorted(id for share in shares for id in share) == ids
    for store in stores:
        store.close()


def test_commits_move_the_job(store: Store) -> None:
    add(store, "a")
    job = must_claim(store)
    store.commit(job, 0, part("x", 10))
    store.commit(job, 1, part("y", 20))
    found = store.find("a")
    assert found is not None
    assert (found.chunks, found.documents, found.failures, found.words, found.bytes_read) == (2, 18, 2, 100, 200)
    assert (found.position, found.attempts) == (Position(0, 200, 20, 20), 0)
    assert (found.progress, found.words_per_s, found.seconds_left) == (0.2, 25.0, 16.0)
    assert store.files("a") == ["x", "y"]


def test_a_commit_that_is_repeated_counts_once(store: Store) -> None:
    add(store, "a")
    job = must_claim(store)
    store.commit(job, 0, part("x", 10))
    store.commit(job, 0, part("x", 10))
    with pytest.raises(ClaimLost):
        store.commit(job, 0, part("another", 10))
    found = store.find("a")
    assert found is not None
    assert found.documents == 9
    assert store.files("a") == ["x"]


def test_begun_anew_it_is_as_it_was_added(store: Store) -> None:
    add(store, "a")
    job = must_claim(store)
    store.commit(job, 0, part("x", 10))
    assert store.begin_anew(job)
    found = store.find("a")
    assert found is not None
    assert replace(found, started=job.started) == replace(job, attempts=0)
    assert store.files("a") == []
    store.commit(job, 0, part("y", 10))
    store.cancel("a", keep_s=600)
    assert not store.begin_anew(job)
    assert store.files("a") == ["y"]


def test_a_lease_that_is_over_lets_others_go_on_and_the_first_changes_nothing_any_more(store: Store) -> None:
    add(store, "a")
    lost = must_claim(store, "one", lease_s=0.0)
    store.commit(lost, 0, part("x", 10))
    time.sleep(0.01)
    taken = must_claim(store, "two")
    assert (taken.id, taken.chunks, taken.position.records) == ("a", 1, 10)
    with pytest.raises(ClaimLost):
        store.commit(lost, 1, part("y", 20))
    assert not store.renew(lost, lease_s=60)
    assert not store.finish(lost, "done", keep_s=KEEP_S)
    assert store.renew(taken, lease_s=60)
    assert store.finish(taken, "done", keep_s=KEEP_S)
    assert store.files("a") == ["x"]


def test_a_renewed_lease_holds(store: Store) -> None:
    add(store, "a")
    job = must_claim(store, lease_s=0.0)
    assert store.renew(job, lease_s=60)
    time.sleep(0.01)
    assert claim(store) is None


def test_what_dead_processes_held_is_put_back_at_once(store: Store) -> None:
    add(store, "a", "b", "c")
    for holder in ("dead", "alive"):
        must_claim(store, holder)
    store.claim(models=["en"], holder="elsewhere", machine="another", lease_s=60)
    asked: list[str] = []

    def is_dead(holder: str) -> bool:
        asked.append(holder)
        return holder == "dead"

    assert store.take_back("m", is_dead) == 1
    assert sorted(asked) == ["alive", "dead"]
    again = must_claim(store, "new")
    assert (again.id, again.attempts) == ("a", 2)
    assert claim(store) is None


def test_what_is_released_is_no_attempt(store: Store) -> None:
    add(store, "a")
    must_claim(store, "one")
    assert store.release("another") == 0
    assert store.release("one") == 1
    assert must_claim(store, "two").attempts == 1


def test_cancelled_is_over_and_whoever_works_on_it_has_lost_it(store: Store) -> None:
    add(store, "a", "b")
    job = must_claim(store)
    assert store.cancel("a", keep_s=KEEP_S)
    with pytest.raises(ClaimLost):
        store.commit(job, 0, part("x", 10))
    assert store.cancel("b", keep_s=KEEP_S)
    assert not store.cancel("b", keep_s=KEEP_S)
    found = store.find("a")
    assert found is not None
    assert found.state == "cancelled"
    assert found.finished is not None
    assert found.expires == pytest.approx(found.finished + KEEP_S, abs=60)
    assert claim(store) is None


def test_done_and_failed(store: Store) -> None:
    add(store, "a", "b")
    assert store.finish(must_claim(store), "done", keep_s=KEEP_S)
    assert store.finish(must_claim(store), "failed", error="why", keep_s=KEEP_S)
    done, failed = store.find("a"), store.find("b")
    assert done is not None
    assert failed is not None
    assert (done.state, done.progress, done.error, done.claim) == ("done", 1.0, None, None)
    assert (failed.state, failed.error) == ("failed", "why")
    assert store.count() == {"done": 1, "failed": 1}


def test_what_is_deleted_or_expired_is_gone(store: Store) -> None:
    add(store, "a", "b", "c")
    first = must_claim(store)
    store.commit(first, 0, part("x", 10))
    store.delete("a")
    with pytest.raises(ClaimLost):
        store.commit(first, 1, part("y", 20))
    assert store.files("a") == []
    assert store.finish(must_claim(store), "done", keep_s=0.0)
    time.sleep(0.01)
    assert store.expired(limit=9) == ["b"]
    assert store.cancel("c", keep_s=0.0)
    time.sleep(0.01)
    assert len(store.expired(limit=1)) == 1
    assert store.ids() == {"b", "c"}
    store.delete("b", "c")
    assert store.ids() == set()


def test_a_database_that_cannot_be_reached_is_told_in_one_line(tmp_path: object) -> None:
    for url in (f"sqlite:///{tmp_path}/none/jobs.sqlite3", f"postgresql://nobody@/nothing?host={tmp_path}"):
        store = Store(url)
        with pytest.raises(JobsUnavailable, match="cannot be used: ") as caught:
            store.ids()
        assert "\n" not in str(caught.value)
        store.close()
