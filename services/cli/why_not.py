"""``luna why-not``: what an alternative to a stored plan would cost."""

from typing import Annotated, Any

import typer

from luna.contracts.counterfactual import PlanVariantReply, Variant, WhyNotReply
from luna.energy.errors import InvalidInputError
from luna.energy.instant import site_clock
from luna.energy.timeline import parse_zone
from luna.platform.capabilities.alternatives import VariantQuestion, WhyNotQuestion, ask_why_not, plan_variant
from luna.platform.capability import Capability
from luna.words import Language
from services.cli.console import JsonOption
from services.cli.declared import emit_reply, open_desk
from services.cli.options import compose_request
from services.cli.plan_table import show_compromises
from services.cli.plans import read_stored


def show_why_not(  # noqa: PLR0913 - one per option
    *,
    plan: Annotated[str, typer.Option(help="The plan_id of a stored plan.")],
    slot: Annotated[str, typer.Option(help="An instant within the slot: with its offset, or a time of the site's clock.")],
    mode: Annotated[str, typer.Option(help="A battery's mode, as a plan shows it or by its code; charge or hold for a vehicle; on or off for a load.")],
    until: Annotated[str | None, typer.Option(help="The instant after the last slot (default: one slot).")] = None,
    device: Annotated[str | None, typer.Option(help="A device by its name (default: the only battery).")] = None,
    power: Annotated[float | None, typer.Option(help="kW from or to the grid at most.")] = None,
    target: Annotated[float | None, typer.Option(help="State of charge at which the exchange ends, 0 to 1.")] = None,
    language: Annotated[Language | None, typer.Option(help="Language of the answer.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what another set-point would cost over the whole plan, and which later slots it would change."""
    fields = {"slot": slot, "until": until, "mode": mode, "device": device, "power_kw": power, "target_soc": target, "language": language}
    with open_desk(quiet=as_json) as desk:
        with site_clock(parse_zone(read_stored(desk, plan, None).timezone)):
            question = compose_request(WhyNotQuestion, **fields)
        reply: WhyNotReply = desk.ask(ask_why_not, {"plan_id": plan, "question": question})
    _emit_outcome(ask_why_not, reply, language or "en", as_json=as_json)


def show_plan_variant(
    *, plan: str | None, site: str | None, variants: list[dict[str, Any]], export_kwh: float | None, language: Language, as_json: bool
) -> None:
    """Plan a stored plan, or the site's last one, again with something different.

    Raises:
        InvalidInputError: not one variant, or none of plan and site.
        NotFoundError: the site has no plan.
    """
    if len(variants) > 1 or not (variants or export_kwh):
        raise InvalidInputError("a plan is asked one variant at a time", field="--variant", remedy="Name one, or --export; several are for --from and --to.")
    variant = compose_request(Variant, **(variants[0] if variants else {"name": f"export {export_kwh:g} kWh"}))
    question = compose_request(VariantQuestion, variant=variant, export_kwh=export_kwh, language=language)
    with open_desk(quiet=as_json) as desk:
        plan_id = plan or read_stored(desk, None, site).plan_id
        reply: PlanVariantReply = desk.ask(plan_variant, {"plan_id": plan_id, "question": question})
    _emit_outcome(plan_variant, reply, language, as_json=as_json)


def _emit_outcome(capability: Capability, reply: WhyNotReply | PlanVariantReply, language: Language, *, as_json: bool) -> None:
    emit_reply(capability, reply, as_json=as_json, arguments={"language": language})
    if not as_json:
        show_compromises(reply.compromises, language)
