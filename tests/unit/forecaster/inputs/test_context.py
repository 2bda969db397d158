import numpy as np

from luna.energy.timeline import FloatArray, InstantArray
from services.forecaster.inputs.context import NO_VACATION, Vacation, add_switches

FIRST = 100  # a quarter-hour, counted from 1970
SLOTS = np.arange(FIRST, FIRST + 4)


def at(*quarters: float) -> InstantArray:
    return (np.array(quarters) * 900_000_000).astype(np.int64).astype("datetime64[us]")


def values(*numbers: float) -> FloatArray:
    return np.array(numbers, dtype=np.float64)


def test_vacation_holds_from_one_reading_to_the_next_and_after_the_last() -> None:
    assert Vacation(at(90, FIRST + 1.25), values(0, 1)).shares(SLOTS).tolist() == [0, 0.75, 1, 1]


def test_vacation_is_unknown_before_its_first_reading() -> None:
    shares = Vacation(at(FIRST + 2), values(1)).shares(SLOTS)
    assert np.isnan(shares[:2]).all()
    assert shares[2:].tolist() == [1, 1]
    assert np.isnan(NO_VACATION.shares(SLOTS)).all()


def test_a_later_reading_changes_no_slot_before_it() -> None:
    early = Vacation(at(90.3, 95.7), values(0.3, 0.7)).shares(SLOTS)
    late = Vacation(at(90.3, 95.7, FIRST + 2, FIRST + 900), values(0.3, 0.7, 0, 1)).shares(SLOTS)
    assert early[:2].tolist() == late[:2].tolist()
    assert late[2:].tolist() == [0, 0]


def test_vacation_is_on_while_any_switch_is() -> None:
    first = (at(90, FIRST + 1), values(1, 0))
    second = (at(FIRST + 0.5, FIRST + 3), values(0, 1))
    assert add_switches([first, second]).shares(SLOTS).tolist() == [1, 0, 0, 1]
    assert add_switches([(at(), values())]) is NO_VACATION
