"""How watchers of a site or a job hear what changed: all of them, from one look, and also after the
database was away.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from luna.energy.errors import NotFoundError, UnavailableError
from services.api.shared_reads import JobState, JobWatch, SitePulse

EVERY = timedelta(milliseconds=50)


class Readings:
    """A site that is read: what it says next, an error is raised; the last one stands."""

    def __init__(self, *states: str | Exception) -> None:
        self.states = list(states)
        self.count = 0

    def read(self, _site_id: str) -> str:
        self.count += 1
        state = self.states[0] if len(self.states) == 1 else self.states.pop(0)
        if isinstance(state, Exception):
            raise state
        return state


async def hear(pulse: SitePulse, count: int) -> list[str | None]:
    """Listen until so many events were told, or the stream ends."""
    heard = []
    async for event in pulse.follow("home", await pulse.look("home")):
        heard.append(event.raw_data)
        if len(heard) == count:
            break
    return heard


def test_all_who_watch_hear_of_a_change_from_one_look() -> None:
    readings = Readings("as it was", "as it was", "new")

    async def watch() -> list[list[str | None]]:
        pulse = SitePulse(readings.read, every=EVERY)
        await pulse.look("home")
        return await asyncio.gather(*(hear(pulse, 2) for _ in range(20)))

    assert asyncio.run(watch()) == [["as it was", "new"]] * 20
    # One look before, at least one without news, one with: not one each.
    assert readings.count <= 6


def test_what_changed_while_the_database_was_away_is_told_when_it_is_back() -> None:
    readings = Readings("as it was", UnavailableError("away"), UnavailableError("away"), "new")
    assert asyncio.run(hear(SitePulse(readings.read, every=EVERY), 2)) == ["as it was", "new"]


def test_the_stream_of_a_site_ends_with_the_site() -> None:
    readings = Readings("as it was", NotFoundError("no such site"))
    assert asyncio.run(hear(SitePulse(readings.read, every=EVERY), 2)) == ["as it was"]


def test_who_watches_a_job_hears_of_its_end_after_any_failure_of_a_read() -> None:
    queued = JobState(
        job_id="1",
        task="planner.plan",
        key="1",
        status="queued",
        attempts=0,
        submitted_at=datetime(2026, 7, 1, tzinfo=UTC),
    )
    done = queued.model_copy(update={"status": "done", "finished_at": queued.submitted_at})
    # As a thread that could not be started, and a database that is away.
    failures: list[Exception] = [RuntimeError("can't start new thread"), UnavailableError("away")]

    def read(_job_ids: Iterable[str]) -> Mapping[str, JobState]:
        if failures:
            raise failures.pop(0)
        return {"1": done}

    async def watch() -> list[str | None]:
        async with asyncio.timeout(30):
            return [event.event async for event in JobWatch(read).follow(queued)]

    assert asyncio.run(watch()) == ["progress", "end"]
