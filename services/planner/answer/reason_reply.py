"""Reasons in the words of the outward interface."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import repeat
from typing import Any
from zoneinfo import ZoneInfo

from luna.contracts.plan import PlanRequest
from luna.schedule import Figure, Reason
from luna.site import Site
from luna.wording import Language, Numbers, Sentences, limit
from services.planner.answer.placed_reasons import PlacedStory
from services.planner.plan import Plan

Fields = dict[str, Any]


def say_reasons(reasons: Iterable[Reason | None], site: Site, language: Language, *, devices: Iterable[str | None] = repeat(None)) -> list[Fields | None]:
    """Return reasons with their sentences; ``devices`` names of each whose it is, where that is to be said."""
    said = _Said(Sentences(Numbers(language, ZoneInfo(site.timezone), site.currency)))
    return [None if reason is None else said.write(reason, device) for reason, device in zip(reasons, devices, strict=False)]


def add_placed_reasons(slots: list[Fields], plan: Plan, request: PlanRequest) -> None:
    """Give every vehicle at its charger and every appliance its reason in each slot."""
    placement = plan.placement
    if placement is None or not placement.wishes.any():
        return
    story = PlacedStory(plan)
    flows = zip(placement.wishes.vehicles, placement.vehicle_kwh, placement.vehicle_give_kwh, placement.vehicle_missing_kwh, strict=True)
    told = [("vehicles", wish.vehicle.name, story.tell_vehicle(wish, charge, give, missing)) for wish, charge, give, missing in flows]
    told += [("loads", wish.load.name, story.tell_load(wish, used)) for wish, used in zip(placement.wishes.loads, placement.load_kwh, strict=True)]
    programmes = zip(placement.wishes.programmes, placement.programmes.use_kwh, placement.programmes.missed, strict=True)
    told += [("loads", wish.load.name, story.tell_programme(wish, use, missed)) for wish, use, missed in programmes]
    for kind, name, reasons in told:
        _add(slots, kind, name, reasons=say_reasons(reasons, plan.problem.site, request.options.language))


def _add(slots: list[Fields], kind: str, name: str, *, reasons: list[Fields | None]) -> None:
    for slot, reason in zip(slots, reasons, strict=True):
        slot[kind][name]["reason"] = reason


class _Said:
    """Writes reasons as they are sent; what several have in common is written once."""

    def __init__(self, spoken: Sentences) -> None:
        self.spoken = spoken
        # By code and figures: those of slots that share them are one object.
        self._written: dict[tuple[str, int], Fields] = {}
        self._limits: dict[tuple[str, ...], list[str]] = {}

    def write(self, reason: Reason, device: str | None) -> Fields:
        """Return a reason's fields."""
        key = reason.code, id(reason.figures)
        if key not in self._written:
            self._written[key] = self._write(reason.code, reason.figures)
        if reason.binding not in self._limits:
            self._limits[reason.binding] = [limit(code, language=self.spoken.numbers.language) for code in reason.binding]
        return {
            **self._written[key],
            "energy_value": reason.energy_value,
            "cost_of_opposite": reason.cost_of_opposite,
            "binding": self._limits[reason.binding],
            "price_rank": reason.price_rank,
            "price_count": reason.price_count,
            "used_at": reason.used_at,
            "device": device,
        }

    def _write(self, code: str, figures: Mapping[str, Figure]) -> Fields:
        plain = {name: figure.isoformat() if isinstance(figure, datetime) else figure for name, figure in figures.items()}
        return {"code": code, "text": self.spoken.say(code, figures), "short": self.spoken.shorten(code, figures), "figures": plain}
