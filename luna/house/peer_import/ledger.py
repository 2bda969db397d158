"""List a row for each value of another manager's file.

A value is taken over, changed, done differently by Luna, a secret, or not understood. What a reader
of a file does not account for is listed at the end, so that nothing is dropped in silence.
"""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from luna.house.peer_import.peer_file import PeerValue

RowStatus = Literal["taken", "changed", "assumed", "differs", "secret", "not_understood"]
STATUSES: tuple[RowStatus, ...] = (
    "taken",
    "changed",
    "assumed",
    "not_understood",
    "secret",
    "differs",
)
_DIGITS = 9
Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class ImportRow:
    """Fate of a value.

    Args:
        status: taken over as it is, changed, assumed because it is missing, done differently by
            Luna, a secret, or not understood.
        code: of the sentence, in the topic ``peer_import`` of the catalogue.
        key: the value's in the file; empty: it is not there.
        line: where it stands; None: nowhere.
        field: of the site; empty: none.
        before: as it stands in the file.
        after: as it stands in the site.
        figures: of the sentence.
    """

    status: RowStatus
    code: str
    key: str = ""
    line: int | None = None
    field: str = ""
    before: str = ""
    after: str = ""
    figures: Mapping[str, Scalar] = dataclasses.field(default_factory=dict)


@dataclass
class ImportLedger:
    """The rows of one file, while it is read."""

    rows: list[ImportRow] = dataclasses.field(default_factory=list)
    _accounted: set[int] = dataclasses.field(default_factory=set)

    def take(self, value: PeerValue, place: str, after: object = None) -> None:
        """Record that a value is taken over as it is."""
        text = value.text if after is None else write_value(after)
        self._add("taken", "taken", value, place=place, after=text)

    def change(
        self, value: PeerValue, place: str, after: object, *, code: str, **figures: Scalar
    ) -> None:
        """Record that a value is taken over in another form; ``code`` says why."""
        text = write_value(after)
        self._add("changed", code, value, place=place, after=text, figures=figures)

    def differ(self, value: PeerValue, code: str, **figures: Scalar) -> None:
        """Record that Luna does otherwise what a value says."""
        self._add("differs", code, value, figures=figures)

    def refuse(self, value: PeerValue, code: str, **figures: Scalar) -> None:
        """Record that a value, with all below it, is not understood."""
        self._add("not_understood", code, value, figures=figures)

    def assume(self, place: str, after: object, *, code: str, **figures: Scalar) -> None:
        """Record the value of a field of which the file says nothing."""
        said = dict(figures)
        self.rows.append(
            ImportRow("assumed", code, field=place, after=write_value(after), figures=said)
        )

    def account(self, value: PeerValue) -> None:
        """Count a value, with all below it, among those of which a row tells."""
        for leaf in value.leaves():
            self._accounted.add(id(leaf))

    def is_accounted(self, value: PeerValue) -> bool:
        """Return whether a row tells of a value or of a part of it."""
        return any(id(leaf) in self._accounted for leaf in value.leaves())

    def list_secrets(self, root: PeerValue) -> None:
        """List the secrets, and what stands in other files."""
        for leaf in root.leaves():
            if leaf.is_secret:
                self._add("secret", "secret", leaf)
            elif leaf.tag:
                code = "elsewhere" if leaf.tag.startswith("!") else "tag"
                self._add("not_understood", code, leaf, figures={"tag": leaf.tag[:40]})

    def list_differences(self, root: PeerValue, patterns: Mapping[str, str]) -> None:
        """List the values whose keys fit a pattern, with the pattern's code."""
        for pattern, code in patterns.items():
            for value in _walk(root):
                if fnmatchcase(value.key, pattern) and not self.is_accounted(value):
                    self.differ(value, code)

    def list_rest(self, root: PeerValue) -> None:
        """List all that no row tells of, a whole branch as one."""
        for below in _children(root):
            if any(below is repeated for repeated in root.repeated):
                if not self.is_accounted(below):
                    self.refuse(below, "repeated")
            elif not self.is_accounted(below):
                self.refuse(below, "unknown")
            else:
                self.list_rest(below)

    def withdraw(self, place: str, code: str) -> None:
        """Mark the rows of a field that the site refuses as not understood."""
        for index, row in enumerate(self.rows):
            if row.status in ("taken", "changed") and _lies_within(row.field, place):
                self.rows[index] = ImportRow(
                    "not_understood", code, row.key, row.line, before=row.before
                )

    def read_number(
        self, value: PeerValue, *, least: float = -math.inf, most: float = math.inf
    ) -> float | None:
        """Return a value's number within bounds; another is listed, and None returned."""
        if value.is_secret or value.tag:
            return None
        try:
            number = float(value.text)
        except ValueError:
            number = math.nan
        if not value.is_scalar or not math.isfinite(number):
            self.refuse(value, "no_number")
            return None
        if not least <= number <= most:
            bounds = {"least": write_value(least), "most": write_value(most)}
            self.refuse(value, "out_of_bounds", **bounds)
            return None
        return number

    def take_number(
        self,
        value: PeerValue,
        place: str,
        *,
        factor: float = 1.0,
        code: str = "unit",
        least: float = -math.inf,
        most: float = math.inf,
    ) -> float | None:
        """Take over a number, times ``factor``; bounds are those of the file's unit."""
        number = self.read_number(value, least=least, most=most)
        if number is None:
            return None
        after = round(number * factor, _DIGITS)
        if factor == 1.0:
            self.take(value, place, after)
        else:
            self.change(value, place, after, code=code)
        return after

    def _add(
        self,
        status: RowStatus,
        code: str,
        value: PeerValue,
        *,
        place: str = "",
        after: str = "",
        figures: Mapping[str, Scalar] | None = None,
    ) -> None:
        same = self._of(value, place)
        if status != "secret" and any(row.code == code for row in same):
            return
        is_shown = status in ("taken", "changed") and not value.is_secret
        before = value.text[:120] if is_shown else ""
        row = ImportRow(
            status, code, value.key, value.line or None, place, before, after, dict(figures or {})
        )
        self.rows.append(row)
        self.account(value)

    def _of(self, value: PeerValue, place: str) -> Iterable[ImportRow]:
        return [row for row in self.rows if row.key == value.key and row.field == place]


def write_value(value: object) -> str:
    """Return a value of a site as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list | tuple):
        return ", ".join(write_value(member) for member in value)
    return str(value)


def _lies_within(place: str, whole: str) -> bool:
    return place == whole or place.startswith(f"{whole}.")


def _children(value: PeerValue) -> tuple[PeerValue, ...]:
    return (*value.members.values(), *value.items, *value.repeated)


def _walk(value: PeerValue) -> Iterable[PeerValue]:
    for below in _children(value):
        yield below
        yield from _walk(below)
