"""DER controls in any order become pieces of which one counts at each instant."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.sources.ieee2030.controls import (
    DerControl,
    DerMode,
    EventStatus,
    arrange,
    make_default,
    randomise,
)

ORIGIN = datetime(2026, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@st.composite
def controls(draw: st.DrawFn) -> list[DerControl]:
    """Return some events with different ages, and perhaps a default."""
    found = []
    for number in range(draw(st.integers(0, 6))):
        start = ORIGIN + draw(st.integers(0, 12)) * HOUR
        modes = draw(st.dictionaries(st.sampled_from(DerMode), st.integers(0, 9), min_size=1))
        event = DerControl(
            mrid=f"C{number}",
            start=start,
            end=start + draw(st.integers(1, 6)) * HOUR,
            modes=modes,
            primacy=draw(st.integers(0, 2)),
            created=ORIGIN + number * HOUR,
            status=draw(st.sampled_from(EventStatus)),
        )
        found.append(event)
    if draw(st.booleans()):
        found.append(make_default("DEFAULT", {DerMode.EXPORT: 1.5}, primacy=0))
    return draw(st.permutations(found))


def find_winner(found: list[DerControl], mode: DerMode, at: datetime) -> DerControl | None:
    """Return the control whose mode counts, found one by one."""
    best = None
    for one in found:
        holds = one.start <= at < one.end and mode in one.modes and not one.is_withdrawn
        rank = (one.is_default, one.primacy, -one.created.timestamp() if not one.is_default else 0)
        if holds and (best is None or rank < best[0]):
            best = (rank, one)
    return None if best is None else best[1]


@given(controls())
def test_each_instant_has_the_limits_of_the_controls_that_count(found: list[DerControl]) -> None:
    pieces = arrange(found)
    for half_hour in range(-2, 40):
        at = ORIGIN + half_hour * HOUR / 2
        holding = [piece for piece in pieces if piece.start <= at < piece.end]
        export = [one.export_kw for one in holding if one.export_kw is not None]
        wanted = []
        for mode in (DerMode.EXPORT, DerMode.GENERATION, DerMode.LARGEST):
            winner = find_winner(found, mode, at)
            wanted += [] if winner is None else [winner.modes[mode]]
        assert min(export, default=None) == min(wanted, default=None)
        owners = [piece.control.mrid for piece in holding]
        assert len(owners) == len({*owners})


@given(st.integers(-3600, 3600), st.integers(-3600, 3600), st.text("ABCDEF0123456789", min_size=1))
def test_randomised_event_stays_within_what_is_allowed(
    start_s: int, duration_s: int, lfdi: str
) -> None:
    event = DerControl("C1", ORIGIN, ORIGIN + 2 * HOUR, {DerMode.EXPORT: 1})
    moved = randomise(event, start_s=start_s, duration_s=duration_s, lfdi=lfdi)
    assert randomise(event, start_s=start_s, duration_s=duration_s, lfdi=lfdi) == moved
    later = (moved.start - event.start).total_seconds()
    assert min(start_s, 0) <= later <= max(start_s, 0)
    longer = (moved.end - moved.start - 2 * HOUR).total_seconds()
    assert min(duration_s, 0) <= longer <= max(duration_s, 0)
