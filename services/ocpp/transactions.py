"""Keep the charging sessions of a charge point: each once, however often it is sent.

A charge point that was offline sends its sessions later, and sends again what was not answered.
"""

from dataclasses import dataclass
from datetime import datetime

# Per charge point; those that ended longest ago go first.
MOST_KEPT = 500


@dataclass(slots=True)
class Transaction:
    """A charging session.

    Attributes:
        number: by which the charge point names it, for 1.6 given by Luna.
        begin_key: what its begin says, by which a second sending is known.
        end_key: as that, of its end.
    """

    number: str
    begin_key: str
    end_key: str
    connector: int
    tag: str
    began_at: datetime | None
    begin_wh: float | None
    ended_at: datetime | None = None
    end_wh: float | None = None
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return not self.end_key


class TransactionBook:
    """The sessions of one charge point, in the order in which they came."""

    def __init__(self, kept: list[Transaction] | None = None) -> None:
        self._kept: list[Transaction] = kept or []

    @property
    def kept(self) -> list[Transaction]:
        """All of them, the oldest first."""
        return list(self._kept)

    def begin(self, transaction: Transaction) -> tuple[Transaction, bool]:
        """Keep a begin; return the session as it is kept, and whether it is new."""
        for kept in self._kept:
            if kept.begin_key and kept.begin_key == transaction.begin_key:
                return kept, False
        self._add(transaction)
        return transaction, True

    def end(self, ended: Transaction) -> tuple[Transaction, bool]:
        """Keep an end; return the session as it is kept, and whether that is new.

        The end of a session whose begin never came is kept as a session of its own.
        """
        for kept in reversed(self._kept):
            if kept.number != ended.number:
                continue
            if kept.is_open:
                kept.end_key = ended.end_key
                kept.ended_at = ended.ended_at
                kept.end_wh = ended.end_wh
                kept.reason = ended.reason
                return kept, True
            if kept.end_key == ended.end_key:
                return kept, False
        self._add(ended)
        return ended, True

    def find_open(self, connector: int) -> Transaction | None:
        """Return the session that goes on at a connector: the last that began and has no end."""
        for kept in reversed(self._kept):
            if kept.connector == connector:
                return kept if kept.is_open else None
        return None

    def find_last(self, connector: int) -> Transaction | None:
        """Return the last session at a connector."""
        for kept in reversed(self._kept):
            if kept.connector == connector:
                return kept
        return None

    def next_number(self, now: datetime) -> str:
        """Return a number that no session had, also where the kept ones were lost.

        Sessions whose begin never came have the number of another central system.
        """
        begun = [kept.number for kept in self._kept if kept.begin_key]
        numbers = [int(number) for number in begun if number.isdecimal()]
        return str(max([*numbers, int(now.timestamp()) - 1]) + 1)

    def _add(self, transaction: Transaction) -> None:
        self._kept.append(transaction)
        while len(self._kept) > MOST_KEPT:
            ended = next((kept for kept in self._kept if not kept.is_open), self._kept[0])
            self._kept.remove(ended)
