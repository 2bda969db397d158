"""``luna why-not``: the cost of another action in slots of a plan."""

from typing import Annotated

import typer

from luna.contracts.alternative import WhyNotReply
from luna.contracts.variant import PlanVariantReply
from luna.energy.timeline import parse_zone, site_clock
from luna.house.capabilities.alternatives import WhyNotQuestion, ask_why_not
from luna.house.capability import Capability
from luna.words import Language
from services.cli.console import JsonOption
from services.cli.declared import emit_reply, open_desk
from services.cli.options import compose_request
from services.cli.plan_table import read_stored, show_compromises


def show_why_not(  # noqa: PLR0913 - one per option
    *,
    plan: Annotated[str, typer.Option(help="The plan_id of a stored plan.")],
    slot: Annotated[
        str,
        typer.Option(
            help="A time within the quarter-hour, in the site's time zone or with an offset."
        ),
    ],
    mode: Annotated[
        str,
        typer.Option(
            help=(
                "The alternative: a battery mode; charge or hold for a car; on or off for a load."
            )
        ),
    ],
    until: Annotated[
        str | None, typer.Option(help="End of the alternative (default: one quarter-hour).")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="The device's name (default: the only battery).")
    ] = None,
    power: Annotated[float | None, typer.Option(help="Most power from or to the grid, kW.")] = None,
    target: Annotated[
        float | None, typer.Option(help="Stop at this battery level, 0 to 1.")
    ] = None,
    language: Annotated[Language | None, typer.Option(help="Language of the answer.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the cost of an alternative to the plan, and the quarter-hours it changes."""
    fields = {
        "slot": slot,
        "until": until,
        "mode": mode,
        "device": device,
        "power_kw": power,
        "target_soc": target,
        "language": language,
    }
    with open_desk(quiet=as_json) as desk:
        with site_clock(parse_zone(read_stored(desk, plan, None).timezone)):
            question = compose_request(WhyNotQuestion, **fields)
        reply: WhyNotReply = desk.ask(ask_why_not, {"plan_id": plan, "question": question})
    emit_changed_plan(ask_why_not, reply, language or "en", as_json=as_json)


def emit_changed_plan(
    capability: Capability,
    reply: WhyNotReply | PlanVariantReply,
    language: Language,
    *,
    as_json: bool,
) -> None:
    emit_reply(capability, reply, as_json=as_json, arguments={"language": language})
    if not as_json:
        show_compromises(reply.compromises, language)
