"""What Home Assistant says comes next."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from luna.contracts.plan import PlanReply
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT
from luna.words import Numbers
from services.home_assistant.entities import PublishedEntity, list_entities
from tests.support.control.house import house_of
from tests.support.planning.plans import FLOWS
from tests.support.words.wording import wording

ZONE = ZoneInfo("Europe/Amsterdam")
START = datetime(2026, 5, 20, 16, 30, tzinfo=ZONE)
SITE = parse_site(
    {
        "name": "home",
        "timezone": "Europe/Amsterdam",
        "batteries": [
            {"name": "b", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
        ],
    }
)
NUMBERS = Numbers("en", ZONE, "EUR")


def slot(place: int, mode: str, charge_kwh: float) -> dict[str, object]:
    figures = {
        "kwh": charge_kwh,
        "buy": 0.11,
        "price": 0.3,
        "time": (START + timedelta(days=1)).isoformat(),
        "start": (START + place * SLOT).isoformat(),
    }
    reason = {
        "code": "charge_from_grid" if mode == "charge" else "follow",
        "text": "As planned.",
        "figures": figures,
    }
    batteries = {"b": {"charge_kwh": charge_kwh, "discharge_kwh": 0, "soc_end": 0.5}}
    return FLOWS | {
        "start": START + place * SLOT,
        "mode": mode,
        "reason": reason,
        "batteries": batteries,
    }


def states_of(*modes: tuple[str, float]) -> dict[str, object]:
    """The states of what comes next where the plan has these modes, with what each slot charges,
    kWh.
    """
    about = {
        "site": "home",
        "timezone": "Europe/Amsterdam",
        "currency": "EUR",
        "slot_minutes": 15,
        "issued_at": START,
        "timing_ms": {},
    }
    cost = {"total": 1.0, "import": 1.0, "export": 0.0, "wear": 0.0}
    slots = [slot(place, *each) for place, each in enumerate(modes)]
    plan = PlanReply.model_validate(
        {"plan_id": "p", "status": "optimal", "gap": 0, "cost": cost, "slots": slots} | about
    )
    view = house_of(SITE, plan, START + timedelta(minutes=7))
    entities: dict[str, PublishedEntity] = {
        each.key: each for each in list_entities(view, NUMBERS, commands=False)
    }
    read = {name: entities[name].state for name in ("next_action", "next_action_at")}
    return {name: state(view, NUMBERS) for name, state in read.items() if state is not None}


HOUSE = ("self_consumption", 0.0)


def test_a_deed_of_some_watt_hours_is_not_what_comes_next() -> None:
    assert states_of(HOUSE, ("charge", 0.027), HOUSE, HOUSE) == {
        "next_action": None,
        "next_action_at": None,
    }


def test_what_comes_next_is_told_as_a_whole_by_times_as_they_are_read_now() -> None:
    told = states_of(
        HOUSE, ("charge", 0.027), HOUSE, ("charge", 1.25), ("charge", 1.05), ("save", 0.0)
    )
    figures = {
        "kwh": "2.3\u00a0kWh",
        "buy": "11\u00a0ct",
        "time": "Thu 16:30",
        "price": "30\u00a0ct",
    }
    mode = wording("modes", "mode_charge")
    why = wording("trade_reasons", "reason_charge_from_grid_1", **figures)
    assert told == {
        "next_action": f"{mode}: {why}",
        "next_action_at": START + 3 * SLOT,
    }
