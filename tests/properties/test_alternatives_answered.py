"""Every alternative, variant and override gets an answer: at any slot of any plan, for every
device, whatever its owner ordered.
"""

from datetime import timedelta
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from luna.contracts.alternative import Alternative
from luna.contracts.control import Override
from luna.contracts.plan import PlanRequest
from luna.contracts.variant import Variant
from luna.energy.devices import DEVICE_KINDS, find_commands
from luna.energy.devices.battery import BATTERIES
from luna.energy.errors import LunaError
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline
from services.planner.alternatives.plan_alternative import plan_alternative
from services.planner.milp.solver import Solver
from services.planner.problem.build import build_problem
from services.planner.problem.knowledge import SitePrices
from services.planner.reply.reply import plan_request
from services.planner.service.owner_orders import list_ordered_blocks
from services.planner.variants.plan_variant import describe_variant, plan_variant
from tests.support.planning.random_requests import KIND_OF, START, draw_request
from tests.support.suite.depth import draws

Document = dict[str, Any]
HEAT_PUMPS = "heat pumps"
KINDS = st.sampled_from([*KIND_OF, HEAT_PUMPS])
PUMP = {
    "name": "pump",
    "power_kw": 2,
    "cop": [{"outdoor_c": -10, "cop": 2}, {"outdoor_c": 10, "cop": 4}],
    "heat_demand_kw": 2,
}
STORE = {"store": {"capacity_kwh_per_k": 3, "min_c": 20, "max_c": 23}}
SEEDS = st.integers(0, 100_000)
MODES = ("self_consumption", "save", "supply", "hold", "charge", "export")
MODES_OF = {
    "battery": MODES,
    "car": ("charge", "hold"),
    "boiler": ("on", "off"),
    "washer": ("on", "off"),
    "pump": ("on", "off"),
}
ORDERS_OF = {
    "battery": ("charge", "discharge", "hold", "no_charge", "no_discharge"),
    "car": ("charge", "no_charge"),
    "boiler": ("on", "off"),
    "washer": ("on", "off"),
    "pump": ("on", "off"),
}


def draw(rng: np.random.Generator, kind: str) -> Document:
    """Return a request with days of forecast errors, and with what its owner ordered of any
    device.
    """
    document = draw_request(rng, "loads" if kind == HEAT_PUMPS else kind)
    outlook = document["outlook"]
    if kind == HEAT_PUMPS:
        document["site"]["heat_pumps"] = [PUMP | STORE]
        outlook["outdoor_temperature_c"] = (
            rng.uniform(-5, 12, len(outlook["load_kwh"])).round(1).tolist()
        )
    document["options"]["time_limit_s"] = 2.0
    if rng.random() < 0.7:
        outlook["errors"] = draw_errors(rng, outlook)
    if rng.random() < 0.7:
        document["manual"] = [
            *document.get("manual", []),
            *(draw_order(rng, document) for _ in range(rng.integers(1, 3))),
        ]
    return document


def draw_errors(rng: np.random.Generator, outlook: Document) -> Document:
    """Return four scenarios around the expected one."""
    load = np.array(outlook["load_kwh"])
    pv = np.array(outlook["pv_kwh"])
    errors = {"probability": [0.25] * 4}
    for name, series in (("load_kwh", load), ("pv_kwh", pv)):
        errors[name] = np.round(series * rng.uniform(0.5, 1.5, (4, series.size)), 4).tolist()
    return errors


def draw_order(rng: np.random.Generator, document: Document) -> Document:
    """Return an order for one device, stored, from the start or later."""
    devices = list_devices(document["site"]) or ["battery"]
    device = devices[int(rng.integers(len(devices)))]
    slots = len(document["outlook"]["load_kwh"])
    step = timedelta(minutes=document["slot_minutes"])
    first = int(rng.integers(slots)) if rng.random() < 0.5 else 0
    end = int(rng.integers(first + 1, slots + 1))
    actions = ORDERS_OF[kind_of(device)]
    span = {"from": (START + first * step).isoformat(), "to": (START + end * step).isoformat()}
    return {
        "device": device,
        "action": actions[int(rng.integers(len(actions)))],
        "block_id": int(rng.integers(2)),
        **span,
    }


def list_devices(site: Document) -> list[str]:
    return [
        each["name"]
        for section in ("batteries", "vehicles", "loads", "heat_pumps")
        for each in site.get(section, [])
    ]


def kind_of(device: str) -> str:
    return "battery" if device.startswith("battery") else device


def make_request(rng: np.random.Generator, kind: str) -> PlanRequest | None:
    """Return a request that can be planned; None where what was drawn contradicts itself."""
    try:
        request = PlanRequest.model_validate(draw(rng, kind))
        build_problem(request)
    except (LunaError, ValueError):
        return None
    return request


def expect_answer(error: LunaError | None) -> None:
    """Require a refusal that names what is impossible, and nothing else, where there is an
    error.
    """
    assert error is None or error.status < 500, error


def draw_alternative(rng: np.random.Generator, request: PlanRequest) -> Alternative:
    """Return any mode of any device, in one slot or in several."""
    timeline = build_problem(request).outlook.timeline
    place = int(rng.integers(timeline.count))
    slot = list(timeline)[place]
    assert request.site is not None
    devices = list_devices(request.site.model_dump()) or ["battery"]
    device = devices[int(rng.integers(len(devices)))]
    modes = MODES_OF[kind_of(device)]
    asked: Document = {"slot": slot, "device": device, "mode": modes[int(rng.integers(len(modes)))]}
    if rng.random() < 0.4:
        asked["until"] = min(slot + int(rng.integers(1, 20)) * timeline.step, timeline.end)
    return Alternative.model_validate(asked)


@settings(max_examples=draws(48), deadline=None)
@given(seed=SEEDS, kind=KINDS)
@example(seed=5, kind="manual")
@example(seed=1, kind="plain")
@example(seed=29337, kind="batteries")
def test_every_alternative_is_answered(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    request = make_request(rng, kind)
    if request is None:
        return
    try:
        plan_alternative(request, draw_alternative(rng, request), solver=Solver(), language="en")
    except LunaError as error:
        expect_answer(error)


# What the digits of a reply may hide.
ROUNDED_KWH = 1e-4


@settings(max_examples=draws(64), deadline=None)
@given(seed=SEEDS, kind=KINDS)
def test_every_override_is_planned_and_kept(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    document = draw(rng, kind) | {"slot_minutes": 15}
    document.pop("first_slot_minutes", None)
    document["options"]["language"] = "en"
    request = PlanRequest.model_validate(document | {"manual": []})
    assert request.site is not None
    assert request.outlook is not None
    key, mode = draw_key(rng, request.site)
    end = START + int(rng.integers(1, 40)) * SLOT - timedelta(minutes=int(rng.integers(15)))
    override = Override.model_validate(
        {"mode": mode, "since": START + timedelta(minutes=int(rng.integers(10))), "until": end}
    )
    blocks = list_ordered_blocks(
        request.site, {key: override}, outlook=request.outlook, state=request.state, start=START
    )
    reply = plan_request(request.model_copy(update={"manual": blocks}), now=START, solver=Solver())
    # What an order cannot have is said; what it can have is done.
    missed = any(each.code and each.code.startswith("manual") for each in reply.compromises)
    inside = [
        slot for slot in reply.slots if slot.start >= override.since and slot.start + SLOT <= end
    ]  # type: ignore[operator]
    for slot in inside:
        for flow in slot.batteries.values() if key == BATTERIES and not missed else ():
            assert flow.charge_kwh <= ROUNDED_KWH or mode not in ("hold", "supply"), slot
            assert flow.discharge_kwh <= ROUNDED_KWH or mode not in ("hold", "save"), slot


def draw_key(rng: np.random.Generator, site: Site) -> tuple[str, str]:
    """Return the key of a device that the site has, and one of its modes."""
    keys = [
        kind.commands.key(device.name)
        for kind in DEVICE_KINDS
        if kind.commands
        for device in kind.of(site)
    ]
    key = (keys or [BATTERIES])[int(rng.integers(len(keys) or 1))]
    modes = find_commands(key).modes
    return key, modes[int(rng.integers(len(modes)))]


CHANGES: tuple[Document, ...] = (
    {"batteries": {"battery": {"capacity_kwh": 20}}},
    {"grid": {"import_limit_kw": 4}},
    {"pv": {"roof": {"peak_kw": 2}}},
    {},
)


@settings(max_examples=draws(48), deadline=None)
@given(
    seed=SEEDS,
    kind=KINDS,
    change=st.sampled_from(CHANGES),
    export_kwh=st.sampled_from([None, 0.5, 5.0]),
)
def test_every_variant_of_a_plan_is_answered(
    seed: int, kind: str, change: Document, export_kwh: float | None
) -> None:
    request = make_request(np.random.default_rng(seed), kind)
    if request is None:
        return

    def price(site: Site) -> SitePrices:
        """Return no prices: no change is one of the tariff."""
        return SitePrices(site, Timeline(START, timedelta(minutes=15), 1), {})

    def count_nothing(_: Site) -> dict[str, dict[str, float]]:
        return {}

    try:
        before, after, changed = plan_variant(
            request,
            Variant(name="other", site=change),
            export_kwh=export_kwh,
            prices=price,
            counted=count_nothing,
            solver=Solver(),
        )
        describe_variant(before, after, requests=(request, changed), name="other", language="en")
    except LunaError as error:
        expect_answer(error)
