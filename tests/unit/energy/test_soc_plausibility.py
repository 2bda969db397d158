"""Which state of charge is believed: one that power can explain at once, any other once it is said
for a quarter-hour.
"""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from luna.energy.charge_sensors import pace_of_charge
from luna.energy.devices.battery import Battery
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.observations import SocReading
from luna.energy.soc_plausibility import LevelPace, judge_levels, pace_of_batteries
from tests.support.suite.tables import each_row

START = datetime(2024, 2, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
# Half of it in an hour, and what the discharge loses beside it.
PACE = pace_of_batteries([Battery(capacity_kwh=10, charge_limit_kw=5, discharge_limit_kw=5)])


def said(*readings: tuple[float, float]) -> list[SocReading]:
    """Return readings by their minutes and states of charge."""
    return [SocReading(soc, START + minutes * MINUTE) for minutes, soc in readings]


@each_row(
    ("readings", "believed", "doubted"),
    [
        ([(0, 0.43), (5, 0.0)], 0.43, 0.0),
        ([(0, 0.43), (5, 0.0), (10, 0.42)], 0.42, None),
        ([(0, 0.43), (5, 0.0), (15, 0.0)], 0.43, 0.0),
        ([(0, 0.43), (5, 0.0), (20, 0.0)], 0.0, None),
        # A doubt that is not said again begins anew.
        ([(0, 0.43), (5, 0.0), (20, 0.9)], 0.43, 0.9),
        # A calibration; as fast as it can; and a long silence, in which anything may have happened.
        ([(0, 0.96), (1, 1.0)], 1.0, None),
        ([(0, 0.5), (15, 0.37)], 0.37, None),
        ([(0, 0.43), (60, 0.0)], 0.0, None),
        ([(0, 0.0)], 0.0, None),
    ],
)
def test_a_jump_beyond_the_power_is_believed_once_it_is_said_for_a_quarter_hour(
    readings: list[tuple[float, float]], believed: float, doubted: float | None
) -> None:
    judged = judge_levels(said(*readings), PACE)
    assert judged is not None
    assert (judged.soc, judged.doubted and judged.doubted.soc) == (believed, doubted)


def test_a_doubted_reading_that_holds_is_confirmed_without_being_said_again() -> None:
    judged = judge_levels(said((0, 0.43), (5, 0.0)), PACE)
    assert judged is not None
    assert [judged.confirm(START + minutes * MINUTE).soc for minutes in (19, 20)] == [0.43, 0.0]


def test_nothing_said_is_nothing_known() -> None:
    assert judge_levels([], PACE) is None


def test_a_car_may_lose_on_the_road_what_it_cannot_at_its_charger() -> None:
    car = ElectricVehicle(capacity_kwh=60)
    readings = said((0, 0.8), (10, 0.5))
    found = [
        judge_levels(readings, pace_of_charge(car, connected=connected))
        for connected in (False, True)
    ]
    assert [each.soc for each in found if each] == [0.5, 0.8]


@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 1)), min_size=1, max_size=20))
def test_what_is_believed_was_said_and_what_is_said_long_enough_is_believed(
    steps: list[tuple[int, float]],
) -> None:
    instants = [sum(step for step, _ in steps[: place + 1]) for place in range(len(steps))]
    readings = said(*zip(instants, [soc for _, soc in steps], strict=True))
    judged = judge_levels(readings, LevelPace(0.5, 0.5))
    assert judged is not None
    assert SocReading(judged.soc, judged.at) in readings
    last = readings[-1]
    again = judge_levels(
        [*readings, SocReading(last.soc, last.at + 15 * MINUTE)], LevelPace(0.5, 0.5)
    )
    assert again is not None
    assert again.soc == last.soc
