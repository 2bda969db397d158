"""``luna what-if`` of a plan: what it would be with something different."""

from typing import Any
from zoneinfo import ZoneInfo

from luna.contracts.plan_variant import PlanVariantReply, PlanVariantRequest
from luna.contracts.what_if import Variant
from luna.errors import InvalidInputError, NotFoundError
from luna.wording import Language, Numbers
from services.cli.console import emit, out
from services.cli.plan import show_compromises
from services.cli.requests import compose_request
from services.cli.why_not import show_changes, show_cost


def show_plan_variant(
    *, plan: str | None, site: str | None, variants: list[dict[str, Any]], export_kwh: float | None, language: Language, as_json: bool
) -> None:
    """Plan a stored plan, or the site's last one, again with something different.

    Raises:
        InvalidInputError: not one variant, or none of plan and site.
        NotFoundError: the site has no plan.
    """
    from services.cli.storage import unit_of_work
    from services.planner.milp.solver import Solver
    from services.planner.service.counterfactual import plan_stored_variant

    if len(variants) > 1 or not (variants or export_kwh):
        raise InvalidInputError("a plan is asked one variant at a time", field="--variant", remedy="Name one, or --export; several are for --from and --to.")
    variant = compose_request(Variant, **(variants[0] if variants else {"name": f"export {export_kwh:g} kWh"}))
    with unit_of_work() as connection:
        from luna.database import plans, sites

        if plan is None and site is not None:
            latest = plans.latest(connection, sites.load(connection, site).name)
            if latest is None:
                raise NotFoundError("the site has no plan", field="--site", value=site, remedy=f"Make one: luna plan --site {site}.")
            plan = latest.plan_id
        request = compose_request(PlanVariantRequest, plan_id=plan, variant=variant, export_kwh=export_kwh, language=language)
        reply = plan_stored_variant(connection, request, solver=Solver())
    emit(reply.model_dump(mode="json", by_alias=True), as_json=as_json, show=lambda: _show(reply, language))


def _show(reply: PlanVariantReply, language: Language) -> None:
    numbers = Numbers(language, ZoneInfo(reply.timezone), reply.currency)
    out.print(reply.text)
    show_cost(reply.cost, numbers)
    show_changes(reply.changes, numbers, slot_minutes=reply.slot_minutes)
    show_compromises(reply.compromises, numbers.language)
