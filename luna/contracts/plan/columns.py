"""A plan as columns over its slots: how plans are made and kept by the thousand, in a quarter of the characters that its slots take one by one.

Names of columns are those of ``SlotReply``; what is a model there is a set of columns of its own, devices by their names. Left out is what holds in no slot.
Reasons and limits that slots share are written once, beside each slot's place among them: as codes and figures, which become words when slots are read.
Of what is placed beside batteries a slot has ``figures`` of its own besides, and no place where there is no reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import repeat
from math import isfinite
from typing import Any, Self
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from luna.contracts.plan.reply import BatteryFlow, PlanReply, ReasonReply, SlotReply
from luna.energy.errors import InvalidInputError
from luna.words import Numbers, Sentences, limit

Fields = dict[str, Any]
Columns = dict[str, Any]

_SLOTS = TypeAdapter(list[SlotReply])
# What a slot says where there is no column of it.
BANDS = ("load_p10_kwh", "load_p90_kwh", "pv_p10_kwh", "pv_p90_kwh")
_PLACED = ("vehicles", "loads", "heat_pumps")
_ABSENT: Mapping[str, Any] = {kind: {} for kind in _PLACED} | {"manual": []} | dict.fromkeys(BANDS)
# Figures that are instants.
_INSTANTS = ("time", "start")
_APART = ("batteries", "reason", "language")
_NO_NUMBERS = ("start", "mode", "manual", *_APART)
# A reason without evidence.
_BARE = ReasonReply(code="", text="").model_dump()


@dataclass(frozen=True, slots=True)
class PlanColumns:
    """A plan: ``head`` is all of it but its slots, and has none; ``slots`` are these as columns."""

    head: PlanReply
    slots: Columns

    @property
    def start(self) -> datetime:
        first: datetime = self.slots["start"][0]
        return first

    @property
    def end(self) -> datetime:
        last: datetime = self.slots["start"][-1]
        return last + timedelta(minutes=self.head.slot_minutes)

    def changed(self, **fields: Any) -> Self:
        """Return the plan with other fields of its head."""
        return type(self)(self.head.model_copy(update=fields), self.slots)

    def read(self) -> PlanReply:
        """Return the plan.

        Raises:
            ValidationError: a number is none.
        """
        slots = list_slots({"timezone": self.head.timezone, "currency": self.head.currency, "slots": self.slots})
        # Validated, the hundreds of models of a home with nothing but a battery would take half as long as its plan.
        trusted = not any(kind in self.slots for kind in _PLACED) and _is_finite(self.slots)
        return self.head.model_copy(update={"slots": _trust_slots(slots) if trusted else _SLOTS.validate_python(slots, strict=True)})

    def write(self) -> bytes:
        """Return the plan as JSON, its slots as columns."""
        slots = to_json(self.slots)
        if b"NaN" in slots or b"Infinity" in slots:
            # What is no number is refused as in any message, and not first by whoever reads the plan.
            self.read()
        return self.head.model_dump_json(by_alias=True, exclude={"slots"}).encode()[:-1] + b',"slots":' + slots + b"}"


def _is_finite(columns: Columns) -> bool:
    """Return whether columns of batteries alone hold no number that is none."""
    own = [values for name, values in columns.items() if name not in _NO_NUMBERS]
    flows = [values for battery in columns["batteries"].values() for name, values in battery.items() if name != "reason"]
    reasons = [columns["reason"], *(battery["reason"] for battery in columns["batteries"].values() if "reason" in battery)]
    worth = [reason[name] for reason in reasons for name in ("energy_value", "cost_of_opposite")]
    # A sum is no number as soon as one of its numbers is none; ``filter`` leaves out what is not known.
    return all(isfinite(sum(filter(None, values))) for values in (*own, *flows, *worth))


def _trust_slots(slots: Sequence[Fields]) -> list[SlotReply]:
    """Return slots of batteries alone as messages."""
    for name in slots[0]["batteries"]:
        flows = [slot["batteries"][name] for slot in slots]
        if flows[0]["reason"] is not None:
            _trust_reasons(flows)
        for slot, flow in zip(slots, BatteryFlow.trust(flows), strict=True):
            slot["batteries"][name] = flow
    _trust_reasons(slots)
    return SlotReply.trust(slots)


def _trust_reasons(rows: Sequence[Fields]) -> None:
    for row, reason in zip(rows, ReasonReply.trust([row["reason"] for row in rows]), strict=True):
        row["reason"] = reason


def parse_columns(written: bytes) -> Fields:
    """Return what ``PlanColumns.write`` wrote: the fields of the head, and the columns as ``slots``."""
    document: Fields = from_json(written)
    return document


def list_slots(plan: Fields, first: int = 0, end: int | None = None) -> list[Fields]:
    """Return the fields of slots from the place ``first`` to that before ``end``, as ``SlotReply`` names them.

    Args:
        plan: of which the columns are the ``slots``.
        first: slot.
        end: the slot after the last one; None: to the end.
    """
    columns: Columns = plan["slots"]
    chosen, numbers = slice(first, end), Numbers(columns["language"], ZoneInfo(plan["timezone"]), plan["currency"])
    spoken = Sentences(numbers)
    plain = {name: _list_values(values, chosen, spoken) for name, values in columns.items() if name not in _APART}
    batteries = _list_devices(columns["batteries"], chosen, spoken, absent={"reason": None})
    absent = {name: repeat(value) for name, value in _ABSENT.items() if name not in plain}
    known = plain | absent | {"batteries": batteries, "reason": _list_reasons(columns["reason"], chosen, spoken)}
    fields = {name: known[name] for name in SlotReply.model_fields}
    return [dict(zip(fields, values, strict=True)) for values in zip(*fields.values(), strict=False)]


def _list_values(values: Columns | Sequence[Any], chosen: slice, spoken: Sentences) -> Iterable[Any]:
    # The version before kept what is placed beside batteries slot by slot and in words.
    return _list_devices(values, chosen, spoken, absent={}) if isinstance(values, dict) else values[chosen]


def _list_devices(columns: Mapping[str, Columns], chosen: slice, spoken: Sentences, *, absent: Fields) -> Iterable[Fields]:
    """Return what all devices of a kind do, slot by slot; ``absent`` is what a device says that has no column of it."""
    by_device = [_list_flows(own, chosen, spoken, absent) for own in columns.values()]
    return (dict(zip(columns, flows, strict=True)) for flows in zip(*by_device, strict=True)) if columns else repeat({})


def _list_flows(columns: Columns, chosen: slice, spoken: Sentences, absent: Fields) -> list[Fields]:
    plain = {name: values[chosen] for name, values in columns.items() if name != "reason"}
    fields = plain | {name: repeat(value) for name, value in absent.items()}
    flows = [dict(zip(fields, values, strict=True)) for values in zip(*fields.values(), strict=False)]
    if "reason" not in columns:
        return flows
    tell = _list_own_reasons if "figures" in columns["reason"] else _list_reasons
    return [flow | {"reason": reason} for flow, reason in zip(flows, tell(columns["reason"], chosen, spoken), strict=True)]


def _list_reasons(columns: Columns, chosen: slice, spoken: Sentences) -> list[Fields]:
    told, binding = columns["told"][chosen], columns["binding"][chosen]
    said = {place: _BARE | write_reason(columns["said"][place], spoken) for place in dict.fromkeys(told)}
    limits = {place: [limit(code, language=spoken.numbers.language) for code in columns["limits"][place]] for place in dict.fromkeys(binding)}
    plain = {name: values[chosen] for name, values in columns.items() if name not in ("said", "limits", "told", "binding")}
    fields = {"device": repeat(None)} | plain | {"binding": [limits[place] for place in binding]}
    return [said[place] | dict(zip(fields, values, strict=True)) for place, values in zip(told, zip(*fields.values(), strict=False), strict=True)]


def _list_own_reasons(columns: Columns, chosen: slice, spoken: Sentences) -> list[Fields | None]:
    """Return the same where each slot has figures of its own, and some have no reason."""
    plain = {name: values[chosen] for name, values in columns.items() if name not in ("said", "told", "figures")}
    figures = {name: values[chosen] for name, values in columns["figures"].items()}
    told = columns["told"][chosen]
    rows = zip(told, zip(*figures.values(), strict=True) if figures else repeat(()), zip(*plain.values(), strict=True), strict=False)

    def tell(place: int, own: Iterable[Any], beside: Iterable[Any]) -> Fields:
        reason = columns["said"][place]
        known = {name: figure for name, figure in zip(figures, own, strict=True) if figure is not None}
        return {**_BARE, **write_reason({"code": reason["code"], "figures": reason["figures"] | known}, spoken), **dict(zip(plain, beside, strict=True))}

    return [None if place is None else tell(place, own, beside) for place, own, beside in rows]


def write_reason(reason: Fields, spoken: Sentences) -> Fields:
    """Return a reason's ``code`` and ``figures``, instants as ISO 8601, with its sentences; a code without words, of a later version, stands for them."""
    code, figures = reason["code"], reason["figures"]
    instants = {name: datetime.fromisoformat(figures[name]) for name in _INSTANTS if name in figures}
    try:
        text, short = spoken.say_both(code, figures | instants)
    except InvalidInputError:
        text, short = code, ""
    return {"code": code, "text": text, "short": short, "figures": figures}
