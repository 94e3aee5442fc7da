"""Account: what one request did, for the metrics and the log; never what its texts say."""

from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock


@dataclass(slots=True)
class Account:
    """What one request did so far.

    Attributes:
        model: The model that worked for it, by its own name.
        documents: How many were tagged.
        tokens: How many they have.
        problems: Kind of problem document -> how many it was answered with; a stream may have several.
    """

    model: str | None = None
    documents: int = 0
    tokens: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def add_documents(self, model: str, *, documents: int, tokens: int) -> None:
        """Documents were tagged."""
        self.model = model
        self.documents += documents
        self.tokens += tokens

    def add_problem(self, kind: str) -> None:
        """It, or a part of it, is answered with a problem; whichever thread writes that."""
        with self._lock:
            self.problems[kind] += 1


_current: ContextVar[Account] = ContextVar("account")


def open_account() -> Account:
    """Begin the account of the request that this task works for; tasks that it starts find the same one."""
    account = Account()
    _current.set(account)
    return account


def current_account() -> Account:
    """The account of the request that is worked for; outside of any, one that nobody reads."""
    return _current.get(None) or Account()
