"""Listening to a server that answers as Home Assistant does and hangs up at any moment."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from luna.platform.addresses import HomeAssistantAccess
from services.ingest.source_readings import Reading
from services.ingest.sources.home_assistant.connection import RETRY, RequestPolicy
from services.ingest.sources.home_assistant.live import HomeAssistantLive
from services.ingest.sources.source import SourceRefusedError
from tests.support.home_assistant.server import TOKEN, House, Sensor, serve
from tests.support.worker.workers import wait_for

COUNTER = "sensor.count"
# The recorder's rows are visible a moment after they are said, and asked for a moment after that.
LAG_S = 0.05
WAIT = timedelta(seconds=0.15)
LONGEST_WAIT_S = 60


@pytest.fixture
def house() -> Iterator[House]:
    with serve(
        House({COUNTER: Sensor("kWh", counter=True), "sensor.other": Sensor("W")}, lag_s=LAG_S)
    ) as house:
        yield house


def listener(
    house: House, *, since: datetime | None = None, token: str = TOKEN
) -> HomeAssistantLive:
    patience = RequestPolicy(
        timeout_s=5,
        pause_s=0,
        retry=replace(RETRY, first=timedelta(seconds=0.02), longest=timedelta(seconds=0.1)),
    )
    return HomeAssistantLive(
        HomeAssistantAccess(house.url, token), since=since, patience=patience, recorder_lag=WAIT
    )


class Recorder:
    """Keeps what it is handed, and says when a reading arrived."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.heard = asyncio.Event()

    async def record(self, readings: Sequence[Reading]) -> None:
        await asyncio.sleep(0)
        self.readings.extend(readings)
        self.heard.set()

    def ids(self, sensor: str = COUNTER) -> list[int]:
        """The numbers said, each once, in the order they were recorded first."""
        return list(
            dict.fromkeys(
                int(reading.value) for reading in self.readings if reading.sensor == sensor
            )
        )


def listen_until(live: HomeAssistantLive, recorder: Recorder, done: Callable[[], bool]) -> None:
    """Listen to the counter until ``done``."""

    async def wait() -> None:
        task = asyncio.create_task(live.listen([COUNTER], recorder.record))
        async with asyncio.timeout(LONGEST_WAIT_S):
            # What is waited for happens in other threads.
            while not done() and not task.done():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled(), task.exception()

    asyncio.run(wait())


def in_background(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def say_numbers(house: House, count: int, *, hang_up_every: int) -> None:
    for number in range(count):
        house.say(COUNTER, number)
        house.say("sensor.other", number)
        time.sleep(0.002)
        if number % hang_up_every == hang_up_every - 1:
            house.hang_up()


def test_whatever_is_said_while_the_socket_is_down_comes_from_history_first(house: House) -> None:
    recorder = Recorder()
    said = 400
    since = datetime.now(UTC)
    thread = in_background(lambda: say_numbers(house, said, hang_up_every=57))
    listen_until(listener(house, since=since), recorder, lambda: recorder.ids()[-1:] == [said - 1])
    thread.join()
    assert house.asked.count("subscribe_entities") > 1
    assert sorted(recorder.ids()) == list(range(said))
    assert {reading.sensor for reading in recorder.readings} == {COUNTER}


def test_the_same_reading_has_the_same_instant_from_the_socket_and_from_history(
    house: House,
) -> None:
    recorder = Recorder()
    since = datetime.now(UTC)
    thread = in_background(lambda: say_numbers(house, 100, hang_up_every=40))
    listen_until(listener(house, since=since), recorder, lambda: recorder.ids()[-1:] == [99])
    thread.join()
    instants = dict(zip(range(100), house.sensors[COUNTER].seconds, strict=True))
    own = {
        reading
        for reading in recorder.readings
        if abs(reading.instant.timestamp() - instants[int(reading.value)]) < 1e-5
    }
    # What held when a window of history begins is told for that instant as well.
    assert {reading.value for reading in own} == set(range(100))
    assert len(own) == 100


def test_a_history_that_fails_ends_the_connection_and_not_the_search_for_the_gap(
    house: House,
) -> None:
    for number in range(5):
        house.say(COUNTER, number)
    house.faults.plan("/api/history", *["500"] * 14, "half", "429")
    since = datetime.now(UTC) - timedelta(minutes=1)
    recorder = Recorder()
    live = HomeAssistantLive(
        HomeAssistantAccess(house.url, TOKEN),
        since=since,
        patience=RequestPolicy(
            pause_s=0,
            retry=replace(
                RETRY, tries=2, first=timedelta(seconds=0.01), longest=timedelta(seconds=0.02)
            ),
        ),
        recorder_lag=WAIT,
    )
    listen_until(live, recorder, lambda: len(recorder.ids()) == 5)
    assert sorted(recorder.ids()) == [0, 1, 2, 3, 4]
    assert house.asked.count("subscribe_entities") > 1


class FragileRecorder(Recorder):
    """Dies after so many readings."""

    def __init__(self, readings: int) -> None:
        super().__init__()
        self.left = readings

    async def record(self, readings: Sequence[Reading]) -> None:
        for reading in readings:
            if len(self.readings) == self.left:
                raise InterruptedError
            self.readings.append(reading)


def test_what_was_recorded_when_filling_was_interrupted_has_no_gap_before_its_last_reading(
    house: House,
) -> None:
    since = datetime.now(UTC)
    for number in range(30):
        house.say(COUNTER, number)
        house.say("sensor.other", number)
    time.sleep(LAG_S)
    fragile = FragileRecorder(25)
    whole = Recorder()
    with pytest.raises(InterruptedError):
        asyncio.run(listener(house, since=since).listen([COUNTER, "sensor.other"], fragile.record))
    resumed = max(reading.instant for reading in fragile.readings)
    listen_until(listener(house, since=resumed), whole, lambda: whole.ids()[-1:] == [29])
    assert sorted({*fragile.ids(), *whole.ids()}) == list(range(30))
    assert abs(len(fragile.ids()) - len(fragile.ids("sensor.other"))) <= 1


def test_nothing_is_recorded_while_the_clocks_disagree(house: House) -> None:
    house.say(COUNTER, 1)
    house.clock_error = timedelta(hours=1)
    recorder = Recorder()
    live = listener(house)
    listen_until(live, recorder, lambda: house.asked.count("/api/config") > 2)
    assert recorder.readings == []
    assert "60 minutes ahead" in str(live.fault)
    house.clock_error = timedelta(0)
    listen_until(listener(house), recorder, lambda: recorder.ids() == [1])


def test_a_sensor_that_is_gone_does_not_keep_the_others_from_being_heard(house: House) -> None:
    house.say("sensor.other", 7)
    del house.sensors[COUNTER]
    recorder = Recorder()
    live = listener(house, since=datetime.now(UTC) - timedelta(minutes=1))

    async def listen() -> None:
        task = asyncio.create_task(live.listen([COUNTER, "sensor.other"], recorder.record))
        async with asyncio.timeout(LONGEST_WAIT_S):
            await asyncio.wait(
                [task, asyncio.create_task(recorder.heard.wait())],
                return_when=asyncio.FIRST_COMPLETED,
            )
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(listen())
    assert recorder.ids("sensor.other") == [7]
    assert live.fault is None


def test_an_unavailable_sensor_says_so(house: House) -> None:
    house.say(COUNTER, 1)
    recorder = Recorder()
    thread = in_background(
        lambda: (wait_for(lambda: recorder.readings != []), house.say(COUNTER, "unavailable"))[0]
    )
    listen_until(listener(house), recorder, lambda: len(recorder.readings) > 1)
    thread.join()
    assert [str(reading.value) for reading in recorder.readings] == ["1.0", "nan"]


def test_a_wrong_token_ends_listening(house: House) -> None:
    with pytest.raises(SourceRefusedError):
        asyncio.run(listener(house, token="stolen").listen([COUNTER], Recorder().record))


def test_waits_between_connections_double_up_to_a_bound_and_differ() -> None:
    patience = RequestPolicy(
        retry=replace(RETRY, first=timedelta(seconds=1), longest=timedelta(seconds=60))
    )
    waits = [patience.wait_s(failures) for failures in range(1, 12)]
    # 1, 2, 4, … 64 seconds, at most 60, each shortened by up to a half.
    assert all(
        min(2.0**place, 60) / 2 <= wait <= min(2.0**place, 60) for place, wait in enumerate(waits)
    )
    assert all(one != other for one, other in pairwise(waits))
