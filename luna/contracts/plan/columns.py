"""A plan as columns over its slots.

So plans are made and kept by the thousand, in a quarter of the characters that slots take one by
one. Names of columns are those of ``SlotReply``; what is a model there is a set of columns of its
own, devices by their names. Left out is what holds in no slot. Reasons and limits that slots share
are written once, beside each slot's place among them: as codes and figures, which become words when
slots are read. Flexible loads have ``figures`` of their own in each slot besides, and no place
where there is no reason.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import repeat
from math import isfinite
from operator import itemgetter
from typing import Any, Self, get_args
from zoneinfo import ZoneInfo

from pydantic_core import from_json, to_json

from luna.contracts.plan.reply import PlanReply, SlotReply
from luna.energy.devices import FLOW_KINDS
from luna.energy.errors import InvalidInputError
from luna.energy.part import StrictModel
from luna.energy.reason import ReasonReply
from luna.words import Numbers, Sentences, limit

Fields = dict[str, Any]
Columns = dict[str, Any]

# Fields of an outlook that may be missing have no column.
BANDS = ("load_p10_kwh", "load_p90_kwh", "pv_p10_kwh", "pv_p90_kwh")
# By section: what a slot says of each device of a kind.
_SECTIONS = [kind.section for kind in FLOW_KINDS]
_FLOWS: dict[str, type[StrictModel]] = {
    section: get_args(SlotReply.model_fields[section].annotation)[1] for section in _SECTIONS
}
_ROWS: tuple[type[StrictModel], ...] = (SlotReply, ReasonReply, *_FLOWS.values())


def _list_defaults(model: type[StrictModel]) -> Fields:
    return {name: field.get_default() for name, field in model.model_fields.items()}


# All fields in order, with a row's value where there is no column of one.
_ABSENT: dict[type[StrictModel], Fields] = {model: _list_defaults(model) for model in _ROWS}


def _list_fields_of(annotation: Any) -> set[str]:
    names: set[str] = set()
    for model in _ROWS:
        for name, field in model.model_fields.items():
            if field.annotation == annotation:
                names.add(name)
    return names


# Numbers that every slot has, and those that may be unknown.
_NUMBERS = _list_fields_of(float)
_KNOWN = _list_fields_of(float | None)
# Evidence of a slot's reason besides words and limits, where there is a column of it.
_EVIDENCE = ReasonReply.model_fields.keys() - {"figures", "binding"}


@dataclass(frozen=True, slots=True)
class PlanColumns:
    """A plan with its slots as columns.

    ``head`` is all of it but its slots, ``slots`` are these as columns.

    Raises:
        FloatingPointError: a number is none; names its column.
    """

    head: PlanReply
    slots: Columns

    def __post_init__(self) -> None:
        _require_numbers(self.slots)

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
        """Return the plan."""
        return self.head.model_copy(
            update={"slots": list_slots(dict(self.head) | {"slots": self.slots}, as_models=True)}
        )

    def answer(self) -> str:
        """Return the plan's JSON as it is answered.

        It is that of what ``read`` returns, without its models in half the time.
        """
        head = dict(self.head)
        return to_json(head | {"slots": list_slots(head | {"slots": self.slots})}).decode()

    def write(self) -> bytes:
        """Return the plan as JSON, its slots as columns."""
        return (
            self.head.model_dump_json(by_alias=True, exclude={"slots"}).encode()[:-1]
            + b',"slots":'
            + to_json(self.slots)
            + b"}"
        )


def _require_numbers(columns: Columns) -> None:
    for name, values in columns.items():
        if isinstance(values, dict):
            _require_numbers(values)
        # A sum is no number as soon as one of its numbers is none; ``filter`` leaves out what is
        # not known.
        elif (name in _NUMBERS and not isfinite(sum(values))) or (
            name in _KNOWN and not isfinite(sum(filter(None, values)))
        ):
            raise FloatingPointError(f"{name} of a plan holds what is no number")


def parse_columns(written: bytes) -> Fields:
    """Parse what ``PlanColumns.write`` wrote.

    The result holds the fields of the head, and the columns as ``slots``.
    """
    document: Fields = from_json(written)
    return document


def list_slots(
    plan: Fields, first: int = 0, end: int | None = None, *, as_models: bool = False
) -> list[Any]:
    """Return slots from the place ``first`` to that before ``end``.

    They are fields as ``SlotReply`` names them, or ``as_models``.

    Args:
        plan: of which the columns are the ``slots``.
        first: slot.
        end: the slot after the last one; None: to the end.
        as_models: what Luna made itself, without validating it: hundreds of models would take half
            as long as their plan.
    """
    columns = plan["slots"]
    chosen = slice(first, end)
    spoken = Sentences(Numbers(columns["language"], ZoneInfo(plan["timezone"]), plan["currency"]))
    read_reasons = partial(_read_reasons, chosen=chosen, spoken=spoken, as_models=as_models)
    apart: dict[str, Iterable[Any]] = {"reason": read_reasons(columns["reason"])}
    for kind, model in _FLOWS.items():
        by_device: dict[str, list[Any]] = {}
        for device, own in columns.get(kind, {}).items():
            flows = {}
            for name, values in own.items():
                flows[name] = read_reasons(values) if name == "reason" else values[chosen]
            rows = _fill_rows(repeat(_ABSENT[model], len(next(iter(flows.values())))), flows)
            by_device[device] = model.trust(rows) if as_models else rows
        if by_device:
            slot_count = len(next(iter(by_device.values())))
            apart[kind] = _fill_rows(repeat({}, slot_count), by_device)
        elif kind in columns:
            apart[kind] = repeat({})
    plain = {
        name: values[chosen] for name, values in columns.items() if name not in (*apart, "language")
    }
    slots = _fill_rows(repeat(_ABSENT[SlotReply], len(plain["start"])), plain | apart)
    return SlotReply.trust(slots) if as_models else slots


def _read_reasons(
    columns: Columns, chosen: slice, spoken: Sentences, *, as_models: bool
) -> list[Any]:
    """Return the reason of each ``chosen`` slot, codes as sentences.

    None where it has no place among those that are said.
    """
    own = columns.get("figures", {})
    places = columns["told"][chosen]
    # Equal reasons of slots are built once: those of one place with the same figures.
    keys = list(zip(places, *map(itemgetter(chosen), own.values()), strict=True)) if own else places
    replies = dict.fromkeys(keys, _ABSENT[ReasonReply])
    for key in replies:
        place, *figures = key if own else (key,)
        if place is not None:
            reason = columns["said"][place]
            if own:
                named = zip(own, figures, strict=True)
                own_figures = {name: figure for name, figure in named if figure is not None}
                reason = reason | {"figures": reason["figures"] | own_figures}
            replies[key] = _ABSENT[ReasonReply] | write_reason(reason, spoken)
    beside = {name: values[chosen] for name, values in columns.items() if name in _EVIDENCE}
    if "binding" in columns:
        name_limit = partial(limit, language=spoken.numbers.language)
        limits = [list(map(name_limit, codes)) for codes in columns["limits"]]
        beside["binding"] = list(map(limits.__getitem__, columns["binding"][chosen]))
    rows = _fill_rows(map(replies.__getitem__, keys), beside)
    reasons: list[Any] = ReasonReply.trust(rows) if as_models else rows
    if None not in places:
        return reasons
    scheduled = zip(places, reasons, strict=True)
    return [None if place is None else reason for place, reason in scheduled]


def _fill_rows(absent: Iterable[Fields], columns: Mapping[str, Iterable[Any]]) -> list[Fields]:
    """Return rows of the ``absent`` values, filled with columns.

    This takes half the time of making each row of its own values.
    """
    rows = list(map(dict.copy, absent))
    for name, values in columns.items():
        for row, value in zip(rows, values, strict=False):
            row[name] = value
    return rows


def write_reason(reason: Fields, spoken: Sentences) -> Fields:
    """Return a reason's ``code`` and ``figures``, instants as ISO 8601, with its sentences.

    A code without words, of a later version, stands for them.
    """
    code = reason["code"]
    figures = reason["figures"]
    try:
        text, short = spoken.say_both(code, figures)
    except InvalidInputError:
        text = code
        short = ""
    return {"code": code, "text": text, "short": short, "figures": figures}
