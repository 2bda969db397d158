"""DER controls of IEEE 2030.5, and the limits of a connection that follow from them.

A control holds modes, each a power, for an interval. Of several that hold a mode at once the one
of the programme with the lowest primacy counts, and of one programme the newest; a programme's
default control holds where no other does. An event that is covered goes on when the other ends.

Source: IEEE 2030.5-2018, 10.2.3 (events) and 10.10 (DER); CSIP-AUS 1.2, annex A, for the limits at
the connection. ``opModMaxLimW`` is a share of the plant's power, in hundredths of a percent.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from itertools import pairwise

import numpy as np

from luna.contracts.operator_limits import NewLimit, StoredLimit

NAME = "ieee2030.5"
# A longer id is cut at its front: the end of an mRID names whoever made it.
_LONGEST_ID = 40
# Luna's limits end there; more is no limit.
_MOST_KW = 10_000.0
_ALWAYS = datetime.min.replace(tzinfo=UTC)
_FOR_EVER = datetime.max.replace(tzinfo=UTC)


class DerMode(StrEnum):
    """A mode of a control that limits the connection."""

    IMPORT = "opModImpLimW"
    LOAD = "opModLoadLimW"
    EXPORT = "opModExpLimW"
    GENERATION = "opModGenLimW"
    LARGEST = "opModMaxLimW"


_IMPORT_MODES = (DerMode.IMPORT, DerMode.LOAD)
_EXPORT_MODES = (DerMode.EXPORT, DerMode.GENERATION, DerMode.LARGEST)


class EventStatus(IntEnum):
    """State of an event at its server."""

    SCHEDULED = 0
    ACTIVE = 1
    CANCELLED = 2
    CANCELLED_AT_RANDOM = 3
    SUPERSEDED = 4


class ResponseStatus(IntEnum):
    """Status that a client reports of an event."""

    RECEIVED = 1
    STARTED = 2
    COMPLETED = 3
    CANCELLED = 6
    SUPERSEDED = 7


class Responses(IntEnum):
    """Bits of ``responseRequired``."""

    RECEIPT = 0x01
    COURSE = 0x02


@dataclass(frozen=True, slots=True)
class DerControl:
    """A control as the server announces it.

    Args:
        mrid: names it at the server.
        start: the first instant at which it holds.
        end: the first instant at which it holds no longer.
        modes: power of each mode that it limits, kW.
        primacy: of its programme; the lowest counts.
        created: when the server made it.
        status: what the server says of it.
        reply_to: where responses go; "": nowhere.
        responses: bits of ``Responses`` that the server wants.
        is_default: whether it holds where no other control does.
    """

    mrid: str
    start: datetime
    end: datetime
    modes: Mapping[DerMode, float]
    primacy: int = 0
    created: datetime = _ALWAYS
    status: EventStatus = EventStatus.SCHEDULED
    reply_to: str = ""
    responses: int = 0
    is_default: bool = False

    @property
    def is_withdrawn(self) -> bool:
        """Whether the server has cancelled it, or put another in its place."""
        return self.status >= EventStatus.CANCELLED


@dataclass(frozen=True, slots=True)
class ControlPiece:
    """Limits of one control for a while."""

    control: DerControl
    start: datetime
    end: datetime
    import_kw: float | None
    export_kw: float | None


@dataclass(frozen=True, slots=True)
class DueResponse:
    """A response that the server waits for.

    Args:
        control: of which it tells.
        status: what is reported.
        reported_until: the instant up to which the event's course is reported with it.
    """

    control: DerControl
    status: ResponseStatus
    reported_until: datetime


def make_default(mrid: str, modes: Mapping[DerMode, float], *, primacy: int) -> DerControl:
    """Return a programme's default control."""
    return DerControl(mrid, _ALWAYS, _FOR_EVER, modes, primacy=primacy, is_default=True)


def randomise(control: DerControl, *, start_s: int, duration_s: int, lfdi: str) -> DerControl:
    """Return a control moved and stretched by a share of what the server allows.

    The same client moves the same event always alike, so it is the same at every reading.

    Args:
        control: as it is announced.
        start_s: the farthest that its start moves, seconds, either sign.
        duration_s: the most that its duration changes, seconds, either sign.
        lfdi: names this client.
    """
    digest = hashlib.sha256(f"{lfdi}:{control.mrid}".encode()).digest()
    generator = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    moved = timedelta(seconds=round(start_s * generator.random()))
    stretched = timedelta(seconds=round(duration_s * generator.random()))
    start = control.start + moved
    end = max(control.end + moved + stretched, start)
    return replace(control, start=start, end=end)


def arrange(controls: Sequence[DerControl]) -> list[ControlPiece]:
    """Return what each control limits and when, by start.

    Invariants: at no instant do two pieces limit the same mode of the same flow differently.
    """
    standing = sorted((one for one in controls if not one.is_withdrawn), key=_by_rank)
    instants = sorted({instant for one in standing for instant in (one.start, one.end)})
    pieces: list[ControlPiece] = []
    open_pieces: dict[str, int] = {}
    for start, end in pairwise(instants):
        for piece in _split(standing, start, end):
            last = open_pieces.get(piece.control.mrid)
            if last is not None and _continues(pieces[last], piece):
                pieces[last] = replace(pieces[last], end=end)
                continue
            open_pieces[piece.control.mrid] = len(pieces)
            pieces.append(piece)
    return pieces


def list_limits(
    pieces: Iterable[ControlPiece], standing: Iterable[StoredLimit], *, now: datetime
) -> Iterator[NewLimit]:
    """Yield the limits of pieces that are not over.

    A piece that has begun goes on under the name under which its control is in force.
    """
    named = {}
    for stored in standing:
        if stored.source == NAME and stored.start <= now:
            named[stored.limit_id.rpartition(":")[0]] = stored.limit_id
    for piece in pieces:
        if piece.end <= now:
            continue
        stem = f"{NAME}:{_keep_usable(piece.control.mrid)}"
        has_begun = piece.start <= now
        fresh = f"{stem}:{max(piece.start, now).timestamp():.0f}"
        yield NewLimit(
            start=None if has_begun else piece.start,
            end=None if piece.end == _FOR_EVER else piece.end,
            import_kw=piece.import_kw,
            export_kw=piece.export_kw,
            scope="connection",
            limit_id=named.get(stem, fresh) if has_begun else fresh,
        )


def list_responses(
    controls: Iterable[DerControl],
    pieces: Sequence[ControlPiece],
    reported_until: Mapping[str, datetime],
    *,
    now: datetime,
) -> Iterator[DueResponse]:
    """Yield the responses that are due and not sent, in order.

    Args:
        controls: all that the server announces.
        pieces: what came of them.
        reported_until: by mRID, the instant up to which an event's course was reported.
        now: the instant at which they are sent.
    """
    lasting = {piece.control.mrid for piece in pieces if piece.end > now}
    for control in controls:
        if control.is_default or not control.reply_to or not control.responses:
            continue
        reported = reported_until.get(control.mrid)
        wanted = {ResponseStatus.RECEIVED} if control.responses & Responses.RECEIPT else set()
        if control.responses & Responses.COURSE:
            wanted |= set(ResponseStatus) - {ResponseStatus.RECEIVED}
        for due in _follow(control, reported, is_left=control.mrid in lasting, now=now):
            if due.status in wanted:
                yield due


def find_next(pieces: Iterable[ControlPiece], *, now: datetime) -> datetime:
    """Return the next instant at which an event begins or ends."""
    instants = [instant for piece in pieces for instant in (piece.start, piece.end)]
    return min((instant for instant in instants if instant > now), default=_FOR_EVER)


def _follow(
    control: DerControl, reported: datetime | None, *, is_left: bool, now: datetime
) -> Iterator[DueResponse]:
    """Yield what is to be reported of an event's course since it was reported last."""
    moment = timedelta(seconds=1)
    if reported is None:
        if control.is_withdrawn or control.end <= now:
            return
        reported = min(now, control.start - moment)
        yield DueResponse(control, ResponseStatus.RECEIVED, reported)
    if control.is_withdrawn or (control.end > now and not is_left):
        if reported < control.end:
            status = ResponseStatus.CANCELLED
            if not control.is_withdrawn or control.status == EventStatus.SUPERSEDED:
                status = ResponseStatus.SUPERSEDED
            yield DueResponse(control, status, max(control.end, now))
        return
    if reported < control.start <= now:
        yield DueResponse(control, ResponseStatus.STARTED, min(now, control.end - moment))
    if reported < control.end <= now:
        yield DueResponse(control, ResponseStatus.COMPLETED, now)


def _split(ranked: Sequence[DerControl], start: datetime, end: datetime) -> Iterator[ControlPiece]:
    """Yield what each control limits in a stretch in which none begins or ends."""
    winners: dict[DerMode, DerControl] = {}
    for control in ranked:
        if control.start <= start and control.end >= end:
            for mode in control.modes:
                winners.setdefault(mode, control)
    for control in ranked:
        won = [mode for mode, winner in winners.items() if winner is control]
        if won:
            import_kw = _find_strictest(control, won, _IMPORT_MODES)
            export_kw = _find_strictest(control, won, _EXPORT_MODES)
            yield ControlPiece(control, start, end, import_kw, export_kw)


def _find_strictest(
    control: DerControl, won: Sequence[DerMode], flow: Sequence[DerMode]
) -> float | None:
    limits = [min(control.modes[mode], _MOST_KW) for mode in won if mode in flow]
    return min(limits, default=None)


def _continues(last: ControlPiece, piece: ControlPiece) -> bool:
    limits = (piece.import_kw, piece.export_kw)
    return last.end == piece.start and (last.import_kw, last.export_kw) == limits


def _by_rank(control: DerControl) -> tuple[bool, int, float]:
    age = -(control.created - _ALWAYS).total_seconds()
    return control.is_default, control.primacy, age


def _keep_usable(mrid: str) -> str:
    usable = "".join(sign for sign in mrid if sign.isascii() and sign.isalnum())
    return usable[-_LONGEST_ID:]
