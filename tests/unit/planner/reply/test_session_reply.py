"""What the deadlines of vehicles cost."""

import pytest

from luna.contracts.plan import SessionReply
from tests.support.planning.requests import answer, charging_session
from tests.unit.planner.milp.vehicle_requests import ask

ASKED = {"price_sessions": True}
# 11 kW and 0.9: 9.9 kWh an hour, a quarter of the car; the hour before it leaves is the cheapest,
# the one after it cheaper still.
PRICE = [0.40, 0.30, 0.20, 0.10, 0.05, 0.05]


def price(*sessions: dict[str, object], soc: float = 0.30) -> list[SessionReply]:
    return answer(ask(PRICE, *sessions, soc=soc, options=ASKED)).sessions


def test_a_deadline_has_its_costs() -> None:
    (session,) = price(charging_session(0, 4, target_soc=0.30 + 0.2475))
    assert session.target_cost == pytest.approx(11 * 0.10)
    assert session.hour_earlier_cost == pytest.approx(11 * (0.20 - 0.10))
    assert session.hour_later_saving == pytest.approx(11 * (0.10 - 0.05))
    assert (session.soc_end, session.hour_earlier_missing_kwh) == (pytest.approx(0.5475), 0.0)


def test_what_an_hour_earlier_would_lack_is_said() -> None:
    (session,) = price(charging_session(2, 4, target_soc=0.70))
    # 16 kWh are wanted and two hours bring 19.8; one brings 9.9.
    assert session.hour_earlier_missing_kwh == pytest.approx(16 - 9.9)


def test_an_hour_sooner_or_later_that_cannot_be_is_left_open() -> None:
    first, second = price(
        charging_session(0, 1, target_soc=0.4), charging_session(1, 3, target_soc=0.5)
    )
    assert (first.hour_earlier_cost, first.hour_later_saving) == (None, None)
    assert second.hour_later_saving is not None


def test_a_target_that_is_met_already_costs_nothing() -> None:
    (session,) = price(charging_session(0, 4, target_soc=0.5), soc=0.8)
    assert (
        session.target_cost,
        session.hour_earlier_cost,
        session.hour_later_saving,
    ) == pytest.approx((0.0, 0.0, 0.0), abs=1e-6)


def test_nobody_who_does_not_ask_waits_for_it() -> None:
    assert not answer(ask(PRICE, charging_session(0, 4, target_soc=0.5))).sessions
