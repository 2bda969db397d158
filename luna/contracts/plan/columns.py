"""A plan as columns over its slots: how plans are made and kept by the thousand, in a quarter of the characters that its slots take one by one.

Names of columns are those of ``SlotReply``; what is a model there is a set of columns of its own, devices by their names. Left out is what holds in no slot.
Reasons and limits that slots share are written once, beside each slot's place among them: as codes and figures, which become words when slots are read.
Of what is placed beside batteries a slot has ``figures`` of its own besides, and no place where there is no reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import repeat
from typing import Any, Self
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from luna.contracts.plan.reply import PlanReply, ReasonReply, SlotReply
from luna.errors import InvalidInputError
from luna.wording import Numbers, Sentences, limit

Fields = dict[str, Any]
Columns = dict[str, Any]

_SLOTS = TypeAdapter(list[SlotReply])
# What a slot says where there is no column of it.
BANDS = ("load_p10_kwh", "load_p90_kwh", "pv_p10_kwh", "pv_p90_kwh")
_ABSENT: Mapping[str, Any] = {"vehicles": {}, "loads": {}, "heat_pumps": {}, "manual": []} | dict.fromkeys(BANDS)
# Figures that are instants.
_INSTANTS = ("time", "start")
_APART = ("batteries", "reason", "language")
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
        """Return the plan, its slots validated in one go: hundreds of models one by one would take longer than the plan. Nothing is to be converted."""
        document = {"timezone": self.head.timezone, "currency": self.head.currency, "slots": self.slots}
        return self.head.model_copy(update={"slots": _SLOTS.validate_python(list_slots(document), strict=True)})

    def write(self) -> bytes:
        """Return the plan as JSON, its slots as columns."""
        slots = to_json(self.slots)
        if b"NaN" in slots or b"Infinity" in slots:
            # What is no number is refused as in any message, and not first by whoever reads the plan.
            self.read()
        return self.head.model_dump_json(by_alias=True, exclude={"slots"}).encode()[:-1] + b',"slots":' + slots + b"}"


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
    fields = plain | absent | {"batteries": batteries, "reason": _list_reasons(columns["reason"], chosen, spoken)}
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
    said = {place: write_reason(columns["said"][place], spoken) for place in dict.fromkeys(told)}
    limits = {place: [limit(code, language=spoken.numbers.language) for code in columns["limits"][place]] for place in dict.fromkeys(binding)}
    plain = {name: values[chosen] for name, values in columns.items() if name not in ("said", "limits", "told", "binding", "device")}
    devices = columns["device"][chosen] if "device" in columns else repeat(None)
    return [
        {**said[place], **dict(zip(plain, values, strict=True)), "binding": limits[bound], "device": device}
        for place, bound, device, *values in zip(told, binding, devices, *plain.values(), strict=False)
    ]


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
