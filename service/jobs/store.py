"""Store: the jobs in their database. Every method is one transaction; it blocks, and belongs in a thread.

Claims are what keeps servers apart. Who works on a job holds a claim, a random name that stands in the job's row, and
renews its lease. Whatever is written for a claim asks for it (``WHERE claim = …``), so a server that was given up, and
wakes up later, changes nothing.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from threading import Lock
from typing import Any
from uuid import uuid4

from sqlalchemy import URL, ColumnElement, Connection, Row, and_, delete, func, insert, or_, select, true, update
from sqlalchemy.exc import SQLAlchemyError

from service.errors import JobsUnavailable
from service.jobs.database import jobs, make_tables, now, open_engine, parts
from service.jobs.job import LIVE, Input, Job, Order, PartDone, State
from taggers.bulk.chunks import Position


class ClaimLost(Exception):
    """The job belongs to somebody else by now, or is over."""


class Store:
    """The jobs of all servers that share a database.

    Args:
        url: The database.

    Raises:
        ConfigError: There is no such kind of database.
    """

    def __init__(self, url: str | URL) -> None:
        self._engine = open_engine(url)
        self._made = False
        self._making = Lock()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def add(self, id: str, order: Order, *, owner: str) -> Job:
        """Put a new job at the end of the queue.

        Args:
            id: Its id.
            order: What is asked for.
            owner: By whom.
        """
        row = {
            "id": id,
            "owner": owner,
            "state": "queued",
            "model": order.model,
            "request": json.dumps(asdict(order)),
            "position": json.dumps(asdict(Position())),
            **dict.fromkeys(("chunks", "documents", "failures", "words", "bytes_read", "seconds", "attempts"), 0),
        }
        with self._transaction() as connection:
            return _job(connection.execute(insert(jobs).values(**row, created=now()).returning(jobs)).one())

    def find(self, id: str, *, owner: str | None = None) -> Job | None:
        """A job.

        Args:
            id: Its id.
            owner: Whose it must be; None: anybody's.
        """
        with self._transaction() as connection:
            row = connection.execute(select(jobs).where(jobs.c.id == id, _of(owner))).one_or_none()
        return None if row is None else _job(row)

    def newest(self, *, owner: str | None = None, limit: int) -> Sequence[Job]:
        """The newest jobs, the newest first."""
        wanted = select(jobs).where(_of(owner)).order_by(jobs.c.created.desc(), jobs.c.id).limit(limit)
        with self._transaction() as connection:
            return [_job(row) for row in connection.execute(wanted)]

    def cancel(self, id: str, *, keep_s: float) -> bool:
        """End a job, if it is not over; whoever works on it loses it."""
        return self._update(jobs.c.id == id, jobs.c.state.in_(LIVE), **_over("cancelled", keep_s)) == 1

    def delete(self, *ids: str) -> None:
        """Forget jobs, at most some thousand."""
        with self._transaction() as connection:
            # The jobs first, for that waits for a commit that is under way, which adds a part.
            connection.execute(delete(jobs).where(jobs.c.id.in_(ids)))
            connection.execute(delete(parts).where(parts.c.job.in_(ids)))

    def claim(self, *, models: Collection[str], holder: str, machine: str, lease_s: float) -> Job | None:
        """Claim the oldest job that nobody works on; None if there is none.

        Args:
            models: The models, under all their names, that the holder has; jobs for others wait for others.
            holder: Who claims it: a server process.
            machine: Where that is.
            lease_s: For how long, unless the claim is renewed.
        """
        free = _free()
        suits = jobs.c.model.in_(models)
        oldest = select(jobs.c.id).where(free, suits).order_by(jobs.c.created, jobs.c.id).limit(1)
        claimed = (
            update(jobs)
            # asked twice: between the two another server may have taken it
            .where(jobs.c.id == oldest.with_for_update(skip_locked=True).scalar_subquery(), free)
            .values(
                state="running",
                claim=uuid4().hex,
                holder=holder,
                machine=machine,
                lease=now() + lease_s,
                started=func.coalesce(jobs.c.started, now()),
                attempts=jobs.c.attempts + 1,
            )
            .returning(jobs)
        )
        with self._transaction() as connection:
            row = connection.execute(claimed).one_or_none()
        return None if row is None else _job(row)

    def wanted_models(self) -> frozenset[str]:
        """The models that jobs ask for on which nobody works."""
        wanted = select(jobs.c.model).where(_free()).distinct()
        with self._transaction() as connection:
            return frozenset(connection.execute(wanted).scalars())

    def renew(self, job: Job, *, lease_s: float) -> bool:
        """Keep a claim for longer; False if it is lost."""
        return self._update(*_claimed(job), lease=now() + lease_s) == 1

    def commit(self, job: Job, number: int, part: PartDone) -> None:
        """Count a chunk, list its file and move on. Doing it again does nothing, so whoever is not sure may.

        Args:
            job: The claimed job.
            number: How many chunks come before.
            part: What it adds.

        Raises:
            ClaimLost: The claim is lost; nothing is counted.
        """
        with self._transaction() as connection:
            moved = (
                update(jobs)
                .where(*_claimed(job), jobs.c.chunks == number)
                .values(
                    position=json.dumps(asdict(part.position)),
                    chunks=number + 1,
                    documents=jobs.c.documents + part.documents,
                    failures=jobs.c.failures + part.failures,
                    words=jobs.c.words + part.words,
                    bytes_read=part.bytes_read,
                    seconds=jobs.c.seconds + part.seconds,
                    attempts=0,
                )
            )
            if connection.execute(moved).rowcount == 1:
                connection.execute(insert(parts).values(job=job.id, number=number, file=part.file))
                return
            same = (parts.c.job == job.id, parts.c.number == number, parts.c.file == part.file)
            if connection.execute(select(parts.c.job).where(*same)).first() is None:
                raise ClaimLost(f"job {job.id} is no longer claimed")

    def begin_anew(self, job: Job) -> bool:
        """Put a claimed job back to its beginning and forget its chunks; False if the claim is lost."""
        with self._transaction() as connection:
            nothing = dict.fromkeys(("chunks", "documents", "failures", "words", "bytes_read", "seconds"), 0)
            back = update(jobs).where(*_claimed(job)).values(position=json.dumps(asdict(Position())), **nothing)
            if connection.execute(back).rowcount != 1:
                return False
            connection.execute(delete(parts).where(parts.c.job == job.id))
        return True

    def finish(self, job: Job, state: State, *, error: str | None = None, keep_s: float) -> bool:
        """End a claimed job, to be forgotten after so many seconds; False if the claim is lost."""
        return self._update(*_claimed(job), **_over(state, keep_s), error=error) == 1

    def put_back(self, job: Job) -> None:
        """Let somebody else have a claimed job, to go on where it is, if the claim is not lost."""
        self._update(*_claimed(job), **_queued(), attempts=0)

    def release(self, holder: str) -> int:
        """Put back what a holder has claimed, to go on where it is; how many jobs that were."""
        return self._update(jobs.c.holder == holder, jobs.c.state == "running", **_queued(), attempts=0)

    def take_back(self, machine: str, is_dead: Callable[[str], bool]) -> int:
        """Put back what dead processes of a machine have claimed; how many jobs that were.

        Args:
            machine: The machine.
            is_dead: Whether the process of a holder is dead.
        """
        here = select(jobs.c.holder).where(jobs.c.machine == machine, jobs.c.state == "running").distinct()
        with self._transaction() as connection:
            holders = connection.execute(here).scalars().all()
        dead = [holder for holder in holders if is_dead(holder)]
        if not dead:
            return 0
        return self._update(jobs.c.holder.in_(dead), jobs.c.state == "running", **_queued())

    def expired(self, *, limit: int) -> Sequence[str]:
        """The ids of some jobs whose time has come."""
        with self._transaction() as connection:
            return connection.execute(select(jobs.c.id).where(jobs.c.expires < now()).limit(limit)).scalars().all()

    def ids(self) -> frozenset[str]:
        """The ids of all jobs."""
        with self._transaction() as connection:
            return frozenset(connection.execute(select(jobs.c.id)).scalars())

    def files(self, id: str) -> Sequence[str]:
        """The files of a job's chunks, in their order."""
        listed = select(parts.c.file).where(parts.c.job == id).order_by(parts.c.number)
        with self._transaction() as connection:
            return connection.execute(listed).scalars().all()

    def count(self) -> Mapping[str, int]:
        """How many jobs are in each state that there are jobs in."""
        grouped = select(jobs.c.state, func.count()).group_by(jobs.c.state)
        with self._transaction() as connection:
            return {row[0]: row[1] for row in connection.execute(grouped)}

    def _update(self, *where: ColumnElement[bool], **values: Any) -> int:
        with self._transaction() as connection:
            return connection.execute(update(jobs).where(*where).values(**values)).rowcount

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._making:
                if not self._made:
                    with self._engine.begin() as connection:
                        make_tables(connection)
                    self._made = True
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            raise JobsUnavailable(f"the database of the jobs cannot be used: {reason}") from error


def _of(owner: str | None) -> ColumnElement[bool]:
    return true() if owner is None else jobs.c.owner == owner


def _free() -> ColumnElement[bool]:
    """Nobody works on it, and somebody should."""
    return or_(jobs.c.state == "queued", and_(jobs.c.state == "running", jobs.c.lease < now()))


def _claimed(job: Job) -> tuple[ColumnElement[bool], ...]:
    return jobs.c.id == job.id, jobs.c.claim == job.claim, jobs.c.state == "running"


def _queued() -> dict[str, Any]:
    return {"state": "queued", **_unclaimed()}


def _over(state: State, keep_s: float) -> dict[str, Any]:
    return {"state": state, "finished": now(), "expires": now() + keep_s, **_unclaimed()}


def _unclaimed() -> dict[str, None]:
    return dict.fromkeys(("claim", "holder", "machine", "lease"))


def _job(row: Row[Any]) -> Job:
    order = json.loads(row.request)
    return Job(
        id=row.id,
        order=Order(
            **{
                **order,
                "tasks": None if order["tasks"] is None else tuple(order["tasks"]),
                "layers": tuple(order["layers"]),
                "input": Input(**order["input"]),
            }
        ),
        state=row.state,
        position=Position(**json.loads(row.position)),
        **{
            name: row._mapping[name]
            for name in (
                *("created", "started", "finished", "expires", "chunks", "documents", "failures", "words"),
                *("bytes_read", "seconds", "error", "claim", "attempts"),
            )
        },
    )
