"""What a plan places, for people: each car and appliance by runs of one reason."""

from collections.abc import Iterator
from itertools import groupby

from luna.contracts.plan import LoadFlow, PlanReply, ReasonReply, SlotReply, VehicleFlow
from luna.wording import Numbers
from services.cli.console import table
from services.cli.plan_texts import TEXTS


def show_placed(reply: PlanReply, numbers: Numbers) -> None:
    """Print a table of cars and appliances where a plan places any."""
    rows = [row for kind in ("vehicles", "loads") for name in getattr(reply.slots[0], kind) for row in _rows(reply, kind, name, numbers=numbers)]
    words = TEXTS[numbers.language]
    if rows:
        table([words[name] for name in ("from", "what", "energy", "reason")], rows, words=(words["what"], words["reason"]))


def _rows(reply: PlanReply, kind: str, name: str, *, numbers: Numbers) -> Iterator[tuple[str, ...]]:
    flows: list[tuple[SlotReply, VehicleFlow | LoadFlow]] = [(slot, getattr(slot, kind)[name]) for slot in reply.slots]
    for text, run in groupby(flows, key=lambda pair: _text(pair[1].reason)):
        pairs = list(run)
        start, energy = pairs[0][0].start, sum(_energy(flow) for _, flow in pairs)
        if text:
            yield f"{numbers.weekday(start)} {numbers.clock(start)}", name, numbers.energy(energy), text


def _text(reason: ReasonReply | None) -> str:
    return "" if reason is None else reason.text


def _energy(flow: VehicleFlow | LoadFlow) -> float:
    return flow.energy_kwh if isinstance(flow, LoadFlow) else flow.charge_kwh - flow.discharge_kwh
