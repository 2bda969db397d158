"""``luna why-not``: what an alternative to a stored plan would cost."""

from collections.abc import Sequence
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from luna.contracts.why_not import Alternative, CostChange, SlotChange, WhyNotReply, WhyNotRequest
from luna.wording import Language, Numbers, say_mode
from services.cli.console import JsonOption, emit, out, table
from services.cli.plan import show_compromises
from services.cli.requests import compose_request

CHANGES = ("from", "device", "planned", "instead")
COSTS = ("import", "export", "wear", "peak", "stored", "total")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="why-not")(show_why_not)


def show_why_not(  # noqa: PLR0913 - one per option
    *,
    plan: Annotated[str, typer.Option(help="The plan_id of a stored plan.")],
    slot: Annotated[str, typer.Option(help="An instant within the slot, with its offset.")],
    mode: Annotated[str, typer.Option(help="A battery's mode, as a plan shows it or by its code; charge or hold for a vehicle; on or off for a load.")],
    until: Annotated[str | None, typer.Option(help="The instant after the last slot (default: one slot).")] = None,
    device: Annotated[str | None, typer.Option(help="Battery, vehicle or load (default: the only battery).")] = None,
    power: Annotated[float | None, typer.Option(help="kW from or to the grid at most.")] = None,
    target: Annotated[float | None, typer.Option(help="State of charge at which the exchange ends, 0 to 1.")] = None,
    language: Annotated[Language | None, typer.Option(help="Language of the answer.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what another set-point would cost over the whole plan, and which later slots it would change."""
    from services.cli.storage import unit_of_work
    from services.planner.alternatives.why_not_jobs import ask_stored
    from services.planner.model.solver import Solver

    asked = {"slot": slot, "until": until, "mode": mode, "device": device, "power_kw": power, "target_soc": target}
    request = compose_request(WhyNotRequest, plan_id=plan, alternative=compose_request(Alternative, **asked), language=language)
    with unit_of_work() as connection:
        reply = ask_stored(connection, request, solver=Solver())
    emit(reply.model_dump(mode="json", by_alias=True), as_json=as_json, show=lambda: _show(reply, Numbers(language or "en", *_place(reply))))


def _place(reply: WhyNotReply) -> tuple[ZoneInfo, str]:
    return ZoneInfo(reply.timezone), reply.currency


def _show(reply: WhyNotReply, numbers: Numbers) -> None:
    out.print(reply.text)
    show_cost(reply.cost, numbers)
    show_changes(reply.changes, numbers)
    for limit in reply.binding:
        out.print(f"Limit at work: {limit}")
    show_compromises(reply.compromises, numbers.language)


def show_cost(cost: CostChange, numbers: Numbers) -> None:
    """Print what is paid more, by its parts."""
    parts = cost.model_dump(by_alias=True)
    table(["more", *COSTS], [["", *(numbers.money(parts[name], signed=True) for name in COSTS)]])


def show_changes(changes: Sequence[SlotChange], numbers: Numbers) -> None:
    """Print the slots that change."""
    rows = [
        (
            f"{numbers.weekday(change.start)} {numbers.clock(change.start)}",
            change.device,
            *(f"{say_mode(each.mode, language=numbers.language)} {numbers.energy(each.energy_kwh)}" for each in (change.before, change.after)),
        )
        for change in changes
    ]
    table(CHANGES, rows, words=("device",), none="Nothing else changes.")
