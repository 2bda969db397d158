"""Reading the past out of a server that answers as Home Assistant does, while things go wrong."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from luna.energy.errors import LunaError
from luna.energy.timeline import FloatArray, InstantArray
from luna.platform.addresses import HomeAssistantAccess
from services.ingest.sources.home_assistant.connection import RETRY, ClockError, RequestPolicy
from services.ingest.sources.home_assistant.entity_history import HomeAssistantHistory
from services.ingest.sources.source import SourceError, SourceRefusedError
from tests.support.home_assistant.server import TOKEN, House, Sensor, counter, serve

START = datetime(2024, 3, 30, tzinfo=UTC)
MINUTES = timedelta(minutes=5)
DAY = timedelta(days=1)
METER = "sensor.house_energy"
# A hundredth of a kWh every five minutes, for three days.
RISING = np.arange(3 * 288 + 1) * 0.01
Open = Callable[..., HomeAssistantHistory]


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


@pytest.fixture
def house() -> Iterator[House]:
    with serve(House({METER: counter(START, MINUTES, RISING)})) as house:
        yield house


@pytest.fixture
def open_history(house: House) -> Iterator[Open]:
    with ExitStack() as stack:

        def connect(
            *, token: str = TOKEN, timeout_s: float = 10, waits: list[float] | None = None
        ) -> HomeAssistantHistory:
            patience = RequestPolicy(
                timeout_s=timeout_s,
                pause_s=0,
                sleep=(waits if waits is not None else []).append,
                retry=replace(RETRY, tries=4),
            )
            return stack.enter_context(
                HomeAssistantHistory.connect(
                    HomeAssistantAccess(house.url, token), patience=patience
                )
            )

        yield connect


def read(
    history: HomeAssistantHistory, first: datetime, end: datetime, sensor: str = METER
) -> tuple[InstantArray, FloatArray]:
    parts = list(history.read(sensor, first, end))
    return np.concatenate([part.instants for part in parts]), np.concatenate(
        [part.values for part in parts]
    )


def assert_rises_by(instants: InstantArray, values: FloatArray, kwh: float) -> None:
    assert (np.diff(instants) >= np.timedelta64(0)).all()
    assert values[-1] - values[0] == pytest.approx(kwh)


def test_history_comes_with_the_entitys_unit_and_every_value_in_order(open_history: Open) -> None:
    parts = list(open_history().read(METER, at(0), at(72)))
    assert {part.unit for part in parts} == {"kWh"}
    values = np.concatenate([part.values for part in parts])
    assert set(np.unique(values.round(6))) == set(RISING[:-1].round(6))


def test_before_what_was_purged_statistics_go_on_without_a_step(
    house: House, open_history: Open
) -> None:
    house.sensors[METER].kept_since = at(40.4).timestamp()
    house.sensors[METER].short_since = at(20).timestamp()
    instants, values = read(open_history(), at(0), at(72))
    # Hours for the first twenty hours, five minutes until history begins; 0.12 kWh an hour
    # throughout.
    hours = (instants - np.datetime64(START.replace(tzinfo=None), "us")) / np.timedelta64(1, "h")
    np.testing.assert_allclose(values, hours * 0.12, atol=1e-9)
    assert (hours[0], hours[-1]) == (pytest.approx(1), pytest.approx(72 - 1 / 12))
    assert np.diff(hours)[hours[1:] > 20.1].max() <= 1 / 12 + 1e-9


def test_where_the_recorder_has_nothing_statistics_stand_for_all(
    house: House, open_history: Open
) -> None:
    house.sensors[METER].kept_since = at(1000).timestamp()
    assert_rises_by(*read(open_history(), at(1), at(72)), 71 * 0.12)


def test_statistics_of_a_power_are_its_means(house: House, open_history: Open) -> None:
    quarters = [str(400 + 100 * (place % 2)) for place in range(97)]
    seconds = [(START + timedelta(minutes=15 * place)).timestamp() for place in range(97)]
    house.sensors["sensor.power"] = Sensor(
        "W",
        seconds=seconds,
        states=quarters,
        kept_since=at(99).timestamp(),
        short_since=at(99).timestamp(),
    )
    _, values = read(open_history(), at(0), at(24), "sensor.power")
    # Each hour holds 400, 500, 400 and 500 W.
    np.testing.assert_allclose(values[~np.isnan(values)], 450)


def test_the_hour_that_a_summer_clock_leaves_out_and_the_one_it_doubles_are_hours_like_others(
    house: House, open_history: Open
) -> None:
    house.sensors["sensor.winter"] = counter(datetime(2024, 10, 26, tzinfo=UTC), MINUTES, RISING)
    assert_rises_by(*read(open_history(), at(24), at(47)), 23 * 0.12 - 0.01)
    autumn = datetime(2024, 10, 26, 22, tzinfo=UTC)
    assert_rises_by(
        *read(open_history(), autumn, autumn + timedelta(hours=25), "sensor.winter"),
        25 * 0.12 - 0.01,
    )


@pytest.mark.parametrize("kept", [True, False], ids=["history", "statistics"])
def test_a_counter_that_begins_again_keeps_what_it_counted(
    house: House, open_history: Open, kept: bool
) -> None:
    values = np.concatenate([RISING[:300], RISING[: RISING.size - 300]])
    house.sensors["sensor.reset"] = counter(
        START,
        MINUTES,
        values.tolist(),
        kept_since=at(0 if kept else 99).timestamp(),
        short_since=at(99).timestamp(),
    )
    _, said = read(open_history(), at(1), at(72), "sensor.reset")
    rises = np.diff(said)
    # What lies between the last value and zero, five minutes, nobody can know.
    assert np.where(rises < 0, said[1:], rises).sum() == pytest.approx(71 * 0.12 - 0.01, abs=0.011)


def test_unknown_and_unavailable_are_unknown_and_nothing_holds_after_them(
    house: House, open_history: Open
) -> None:
    seconds = [at(hour).timestamp() for hour in (0, 1, 1.5, 6)]
    house.sensors["sensor.power"] = Sensor(
        "W", seconds=seconds, states=["300", "unavailable", "unknown", "400"]
    )
    instants, values = read(open_history(), at(0), at(6.1), "sensor.power")
    hours = (instants - np.datetime64(START.replace(tzinfo=None), "us")) / np.timedelta64(1, "h")
    np.testing.assert_array_equal(hours, [0, 0.25, 0.5, 0.75, 1, 1.5, 6])
    np.testing.assert_array_equal(values, [300, 300, 300, 300, np.nan, np.nan, 400])


def test_states_of_before_an_update_come_in_the_unit_of_then(
    house: House, open_history: Open
) -> None:
    # Wh until 34:00 of the second day; what is unavailable says no unit.
    states = [str(1000 * kwh) for kwh in RISING[:400]] + [
        "unavailable",
        *(str(kwh) for kwh in RISING[401:]),
    ]
    update = at(400 / 12).timestamp()
    house.sensors["sensor.updated"] = counter(
        START, MINUTES, RISING.tolist(), former_unit=(update + 300, "Wh")
    )
    house.sensors["sensor.updated"].states = states
    parts = list(open_history().read("sensor.updated", at(0), at(72)))
    assert [part.unit for part in parts if len(part)] == ["Wh", "Wh", "kWh", "kWh"]
    kwh = np.concatenate([part.values / (1000 if part.unit == "Wh" else 1) for part in parts])
    np.testing.assert_allclose(kwh, np.where(np.arange(864) == 400, np.nan, RISING[:-1]))


def test_a_switch_is_one_and_zero(house: House, open_history: Open) -> None:
    house.sensors["binary_sensor.plug"] = Sensor(
        None, seconds=[at(0).timestamp(), at(1).timestamp()], states=["off", "on"]
    )
    _, values = read(open_history(), at(0), at(1.2), "binary_sensor.plug")
    np.testing.assert_array_equal(values, [0, 0, 0, 0, 1])


@pytest.mark.parametrize("fault", ["429", "500", "503", "half"])
def test_a_failed_request_is_made_again(house: House, open_history: Open, fault: str) -> None:
    house.faults.plan("/api/history", fault, fault)
    assert_rises_by(*read(open_history(), at(0), at(24)), 23.9 * 0.12 + 0.002)


def test_an_answer_that_takes_too_long_is_asked_for_again(house: House, open_history: Open) -> None:
    house.faults.plan("/api/history", "slow")
    house.faults.plan("recorder/statistics_during_period", "slow")
    house.sensors[METER].kept_since = at(12).timestamp()
    assert_rises_by(*read(open_history(timeout_s=0.3), at(1), at(24)), 23 * 0.12 - 0.01)


@pytest.mark.parametrize("fault", ["drop", "failed"])
def test_statistics_are_asked_for_again_over_a_new_socket(
    house: House, open_history: Open, fault: str
) -> None:
    house.sensors[METER].kept_since = at(99).timestamp()
    house.faults.plan("recorder/statistics_during_period", fault, fault)
    assert_rises_by(*read(open_history(), at(1), at(72)), 71 * 0.12)


def test_waits_heed_what_the_server_asks_for_and_end(house: House, open_history: Open) -> None:
    house.faults.plan("/api/history", *["429"] * 4)
    waits: list[float] = []
    with pytest.raises(SourceError, match="429"):
        read(open_history(waits=waits), at(0), at(24))
    assert [wait for wait in waits if wait > 0.1] == [7, 7, 7]


def test_a_wrong_token_is_refused_at_once(house: House, open_history: Open) -> None:
    history = open_history(token="stolen")
    with pytest.raises(SourceRefusedError, match="LUNA_HOME_ASSISTANT_TOKEN"):
        history.check({})
    assert house.asked == ["/api/config"]


def test_a_renamed_sensor_is_named_with_its_role_and_similar_ones(open_history: Open) -> None:
    with pytest.raises(SourceRefusedError) as refusal:
        open_history().check({"sensor.house_energy_2": "input_sensors.total_load_consumption"})
    assert (refusal.value.field, refusal.value.value) == (
        "input_sensors.total_load_consumption",
        "sensor.house_energy_2",
    )
    assert METER in str(refusal.value)


@pytest.mark.parametrize(
    ("error", "words"),
    [(timedelta(hours=1), "60 minutes ahead"), (timedelta(hours=-1), "60 minutes behind")],
)
def test_a_clock_that_is_an_hour_off_is_named(
    house: House, open_history: Open, error: timedelta, words: str
) -> None:
    house.clock_error = error
    with pytest.raises(ClockError, match=words):
        open_history().check({})


def test_a_home_assistant_that_is_starting_is_waited_for(house: House, open_history: Open) -> None:
    house.state = "NOT_RUNNING"
    with pytest.raises(SourceError, match="not ready"):
        open_history().check({})


def test_one_that_is_away_is_a_source_error() -> None:
    patience = RequestPolicy(sleep=lambda _: None, retry=replace(RETRY, tries=2))
    with (
        HomeAssistantHistory.connect(
            HomeAssistantAccess("http://127.0.0.1:9", TOKEN), patience=patience
        ) as history,
        pytest.raises(LunaError, match="does not answer"),
    ):
        history.check({})
