"""Price a block of the owner by an alternative plan, before it is stored."""

from dataclasses import dataclass

from luna.contracts.alternative import Alternative, WhyNotReply, WhyNotRequest
from luna.contracts.owner import ManualBlock
from luna.contracts.owner_constraints import check_block
from luna.contracts.plan import PlanReply
from luna.energy.devices import FLOW_KINDS
from luna.energy.devices.battery import BATTERY
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.platform.database import plans
from luna.platform.database.engine import unit_of_work
from luna.words import Language
from services.api.gateway import Gateway

# A block as the alternative that means the same; the others are planned with.
_BATTERY_MODES = {"charge": "charge", "discharge": "export", "hold": "hold"}
_DEVICE_MODES = {"charge": "charge", "no_charge": "hold", "on": "on", "off": "off"}


@dataclass(frozen=True, slots=True)
class Trial:
    """The extra cost over the plan in force (negative: less), and the planner's note."""

    cost: float
    text: str = ""


async def price_block(
    gateway: Gateway, site: Site, block: ManualBlock, *, language: Language
) -> Trial:
    """Return the extra cost of a block over the plan in force.

    No plan that drives the site is stored.

    Raises:
        InvalidInputError: the site cannot follow the block.
        ConflictError: there is no plan to compare with.
        UnavailableError: the planner did not answer in time.
    """
    check_block(block, site, now=gateway.clock.now())
    with unit_of_work(gateway.database) as connection:
        plan = plans.latest(connection, site.name, now=gateway.clock.now())
        if plan is None:
            raise refuse("no-plan-to-compare", field="plan", value=site.name)
        request = plans.load_inputs(connection, plan.plan_id)
    mode = _find_mode(site, block)
    first = plan.slots[0].start
    overlaps = plan.slots[-1].start >= block.from_ and block.to > first
    if mode is not None and overlaps:
        alternative = Alternative.model_validate(
            {
                "slot": max(block.from_, first),
                "until": block.to,
                "mode": mode,
                "device": block.device,
                "power_kw": block.power_kw if mode in ("charge", "export") else None,
            }
        )
        answer = await gateway.ask(
            WhyNotRequest(plan_id=plan.plan_id, alternative=alternative, language=language)
        )
        reply = WhyNotReply.model_validate_json(bytes(answer.body))
        return Trial(reply.cost.total, reply.text)
    # A block that is no alternative to the plan has to be planned.
    new_block = block.model_copy(update={"block_id": None})
    manual = [*request.manual, new_block]
    answer = await gateway.ask(request.model_copy(update={"manual": manual}))
    with_block = PlanReply.model_validate_json(bytes(answer.body))
    before = plan.manual.cost if plan.manual else 0.0
    after = with_block.manual.cost if with_block.manual else 0.0
    if before is None or after is None:
        raise refuse("cost-not-in-time")
    return Trial(after - before)


def _find_mode(site: Site, block: ManualBlock) -> str | None:
    """Return the mode of a block's action, None if its device has no modes."""
    for kind in FLOW_KINDS:
        if any(device.name == block.device for device in kind.of(site)):
            modes = _BATTERY_MODES if kind is BATTERY else _DEVICE_MODES
            return modes.get(block.action)
    return None
