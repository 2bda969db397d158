"""Draw a recorded day of a stored site under several policies.

The day is part of a replay of its week, so its figures are those of the replay.

Policies stand side by side: price, battery power and export, state of charge, on axes that all
columns share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from markupsafe import Markup

from luna.contracts.agent import (
    DayPictureReply,
    DayPictureRequest,
    PolicyDayTrace,
    SlotTrace,
    TradedSlots,
)
from luna.contracts.replay import DayCost, ReplayRequest
from luna.energy.physics.mode import Mode
from luna.energy.refusals import refuse
from luna.energy.timeline import SLOT, FloatArray, local_midnight
from luna.platform.database import sites
from luna.platform.database.forecast_activations import find_active
from luna.platform.objects import ObjectStore
from luna.words import Numbers, say_policy
from luna.words.charts.axes import (
    LEAST_PRICE_SPAN,
    Axis,
    ChartFrame,
    ClockAxis,
    choose_step,
    draw_ruler,
    fit_axis,
    fit_prices,
)
from luna.words.charts.marks import (
    draw_bars,
    find_runs,
    place_keys,
    shade_runs,
    trace_edges,
    trace_stairs,
)
from luna.words.charts.style import draw_document, style
from luna.words.charts.svg import LETTER, circle, join, path, rectangle, text
from services.agent.evaluation.days import WEEK, UsableDays
from services.agent.evaluation.record import read_record
from services.agent.evaluation.replay import issue_forecasts, load_replay_agents
from services.planner.replay import DayLog, DayResult, ReplayData, ReplaySpec, Rules, run
from services.planner.service.inputs import read_scene
from services.planner.service.replay import ReplayAgent, Store


def draw_stored_day(
    store: Store, request: DayPictureRequest, *, objects: ObjectStore
) -> DayPictureReply:
    """Return the picture of a day and its figures slot by slot.

    Forecasts that were not issued then are issued first. The week around the day is replayed,
    Monday to Sunday as evaluations do, as far as it was recorded whole; the agent's policies know
    nothing of that week.

    Raises:
        NotFoundError: no such site, nothing was recorded then, or a policy was never trained on
            what was recorded before.
        InvalidInputError: the day cannot be lived again, or a policy is unknown.
    """
    with store.part() as connection:
        site = sites.load(connection, request.site_id)
        monday = request.day - timedelta(days=request.day.weekday())
        sunday = monday + timedelta(days=WEEK - 1)
        record = read_record(connection, site, first=monday, last=sunday)
        first, last = find_stretch(record, request.day)
        replay_request = ReplayRequest(
            site_id=site.name, from_day=first, to_day=last, policies=request.policies, episodes=None
        )
        agents = load_replay_agents(
            connection,
            site,
            request.policies,
            before=local_midnight(first, ZoneInfo(site.timezone)),
            objects=objects,
        )
    issue_forecasts(store, site, replay_request, objects=objects)
    with store.part() as connection:
        version = find_active(connection, site).forecast_version
        scene = read_scene(connection, replay_request, version)
    traces = _replay_day(scene, replay_request, agents, request.day)
    numbers = Numbers("en", scene.zone, site.currency)
    return DayPictureReply(
        svg=draw_day(traces, title=f"{site.name}, {request.day}", numbers=numbers),
        policies=replay_request.policies,
        day=request.day,
        from_day=replay_request.from_day,
        to_day=replay_request.to_day,
        currency=site.currency,
        traces=traces,
    )


def _replay_day(
    scene: ReplayData,
    request: ReplayRequest,
    agents: Mapping[str, ReplayAgent],
    day: date,
) -> dict[str, PolicyDayTrace]:
    """Replay the request's days and return each policy's trace of one of them."""
    results: dict[date, DayResult] = {}

    def keep(result: DayResult) -> None:
        results[result.day] = result

    spec = ReplaySpec(
        request.policies,
        timedelta(minutes=request.every_minutes) // SLOT,
        agents={name: policy.make for name, policy in agents.items()},
        explain_loss=False,
    )
    reply = run(scene, spec, book=DayLog(keep=keep)).reply
    costs = {}
    for name, policy in reply.policies.items():
        costs[name] = next(day_cost for day_cost in policy.days if day_cost.day == day)
    traces = trace_day(scene, Rules.of(scene), results[day], costs)
    for name in agents.keys() & traces.keys():
        traces[name] = traces[name].model_copy(update={"run_id": agents[name].run_id})
    return traces


def find_stretch(record: UsableDays, day: date) -> tuple[date, date]:
    """Return the first and last day of the replayable run of days around ``day``.

    Raises:
        InvalidInputError: the day itself cannot be replayed.
    """
    if not record.first <= day <= record.last or day in record.unusable:
        reason = record.unusable.get(day, "it was not recorded whole")
        raise refuse("day-not-replayed", field="day", value=day.isoformat(), reason=reason)
    first = last = day
    while first > record.first and first - timedelta(days=1) not in record.unusable:
        first -= timedelta(days=1)
    while last < record.last and last + timedelta(days=1) not in record.unusable:
        last += timedelta(days=1)
    return first, last


COLUMN = 390.0
MARGIN = 44.0
GAP = 18.0
# Title, then each column's name and three lines; a panel's unit stands above it, the clock below.
HEAD = 98.0
UNIT = 30.0
PANELS = {"price": 150.0, "power": 210.0, "stored": 130.0}
FOOT = 50.0
KEY_ROW = 20.0
LINE = 16.0
POWER_STEPS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
KEYS = (
    ("price-line", "import price"),
    ("dot-charging", "charging at"),
    ("dot-giving", "discharging at"),
    ("bar-charging", "battery charges"),
    ("bar-giving", "battery discharges"),
    ("export-line", "export to the grid (down)"),
    ("needed-line", "load less sun"),
    ("stored-line", "state of charge"),
    ("cheap", "cheaper than the day's median"),
)


@dataclass(frozen=True, slots=True)
class TraceDay:
    """A policy's day in arrays.

    Powers in kW, prices in hundredths or units as ``Numbers`` says them, the state of charge in
    percent from its first end on.
    """

    name: str
    trace: PolicyDayTrace
    price: FloatArray
    net_kw: FloatArray
    export_kw: FloatArray
    needed_kw: FloatArray
    stored: FloatArray

    @classmethod
    def of(cls, name: str, trace: PolicyDayTrace, *, hours: float, base: int) -> "TraceDay":
        def read(field: str) -> FloatArray:
            return np.array([getattr(slot, field) for slot in trace.slots])

        net = read("charge_kwh") - read("discharge_kwh")
        return cls(
            name,
            trace,
            price=read("import_price") * base,
            net_kw=np.where(np.abs(net) > LITTLE_KWH, net, 0.0) / hours,
            export_kw=-read("export_kwh") / hours,
            needed_kw=(read("load_kwh") - read("pv_kwh")) / hours,
            stored=100 * read("soc"),
        )


def draw_day(traces: Mapping[str, PolicyDayTrace], *, title: str, numbers: Numbers) -> str:
    """Return an SVG document with a column of three panels per policy.

    The axes are the same in all columns.

    Args:
        traces: the same day under each policy; their slots begin at the same instants.
        title: the heading.
        numbers: write figures, and know the clock and the currency.
    """
    slots = next(iter(traces.values())).slots
    step = slots[1].start - slots[0].start
    hours = step / timedelta(hours=1)
    base = numbers.price_unit[0]
    days = [TraceDay.of(name, trace, hours=hours, base=base) for name, trace in traces.items()]
    axes = _fit_axes(days, numbers)
    width = len(days) * COLUMN + (len(days) - 1) * GAP
    edges = [slot.start for slot in slots]
    edges.append(slots[-1].start + step)
    columns = []
    for place, day in enumerate(days):
        x = place * (COLUMN + GAP)
        columns.append(_draw_column(day, x, axes, numbers, edges=edges))
    key_widths = [34 + len(words) * LETTER for _, words in KEYS]
    below = axes["stored"].bottom + FOOT
    places = place_keys(key_widths, width, first_y=below, row=KEY_ROW, gap=14)
    keys = [_draw_key(css, words, place) for (css, words), place in zip(KEYS, places, strict=True)]
    end = places[-1][1] + KEY_ROW
    heading = text((0, 14), f"{title}, local time ({numbers.zone.key})", "picture-title")
    content = heading + join(columns) + _draw_panel_names(axes, numbers) + join(keys)
    return draw_document(content, (width, end), style("policy_day"), label=title)


def _draw_panel_names(axes: Mapping[str, Axis], numbers: Numbers) -> Markup:
    names = {
        "price": f"import price ({numbers.price_unit[1]}/kWh)",
        "power": "power (kW), charging up",
        "stored": "state of charge (%)",
    }
    drawn = []
    for panel, words in names.items():
        top = axes[panel].top
        # The names cover the hour lines, which run through all panels.
        drawn.append(rectangle((0, top - 20, len(words) * LETTER, 15), "surface"))
        drawn.append(text((0, top - 9), words, "tick"))
    return join(drawn)


def _fit_axes(days: Sequence[TraceDay], numbers: Numbers) -> dict[str, Axis]:
    """Return an axis per panel that covers the values of all columns."""
    prices = np.concatenate([day.price for day in days])
    power_series = []
    for day in days:
        power_series += [day.net_kw, day.export_kw, day.needed_kw]
    powers = np.concatenate(power_series)
    top = HEAD
    ends = {}
    for panel, height in PANELS.items():
        top += UNIT
        ends[panel] = (top + height, top)
        top += height
    power_span = float(np.ptp(np.append(powers, 0.0)))
    power_step = choose_step(power_span, POWER_STEPS, 6)
    least_span = LEAST_PRICE_SPAN * numbers.price_unit[0]
    _, stored_top = ends["stored"]
    return {
        "price": fit_prices(prices.tolist(), ends["price"], least_span=least_span),
        "power": fit_axis(powers.tolist(), ends["power"], step=power_step, least=(0.0, power_step)),
        "stored": Axis.upright(stored_top, PANELS["stored"], low=0.0, high=100.0, step=25.0),
    }


def _draw_column(
    day: TraceDay,
    x: float,
    axes: Mapping[str, Axis],
    numbers: Numbers,
    *,
    edges: Sequence[datetime],
) -> Markup:
    frame = ChartFrame(COLUMN, MARGIN, 0.0, len(day.trace.slots))
    price = axes["price"]
    power = axes["power"]
    stored = axes["stored"]
    cheap = find_runs(day.price < np.median(day.price))
    clock = ClockAxis(
        frame=frame,
        instant=lambda edge: edges[edge],
        numbers=numbers,
        top=price.top,
        bottom=stored.bottom,
        words_y=stored.bottom + 16,
        every=6,
    )
    zero = np.zeros(frame.count)
    charge_kw = np.maximum(day.net_kw, 0.0)
    discharge_kw = np.minimum(day.net_kw, 0.0)
    # The state of charge is that of a slot's end, so its line begins one slot later.
    ends = ChartFrame(COLUMN, MARGIN + frame.slot_width, 0.0, frame.count - 1)
    parts = _describe(day, numbers)
    parts += [shade_runs(frame, axis, cheap, "cheap") for axis in (price, power)]
    parts += [draw_ruler(frame, axis, numbers) for axis in axes.values()]
    parts.append(clock.draw())
    parts.append(path(trace_stairs(frame, price, day.price), "line price-line"))
    parts += _draw_trades(day, frame, price)
    parts.append(draw_bars(frame, power, zero, charge_kw, css="bar-charging"))
    parts.append(draw_bars(frame, power, zero, discharge_kw, css="bar-giving"))
    parts.append(path(trace_stairs(frame, power, day.export_kw), "line export-line"))
    parts.append(path(trace_stairs(frame, power, day.needed_kw), "line needed-line"))
    parts.append(path(trace_edges(ends, stored, day.stored), "line stored-line"))
    return Markup('<g transform="translate({} 0)">{}</g>').format(x, join(parts))


def _draw_trades(day: TraceDay, frame: ChartFrame, price: Axis) -> list[Markup]:
    """Draw a dot on the price of each slot in which the batteries charge or discharge."""
    dots = []
    for traded, css in ((day.net_kw > 0, "dot-charging"), (day.net_kw < 0, "dot-giving")):
        for slot in np.flatnonzero(traded).tolist():
            middle = (frame.x(slot + 0.5), price.place(day.price[slot]))
            dots.append(circle(middle, 2.2, css))
    return dots


def _describe(day: TraceDay, numbers: Numbers) -> list[Markup]:
    cost = day.trace.cost - (day.trace.value_gain or 0.0)
    lines = (
        f"{numbers.money(cost)}, stored energy counted in",
        _describe_trades("charges", day.trace.charging, numbers),
        _describe_trades("discharges", day.trace.discharging, numbers),
    )
    drawn = [text((0, 42), say_policy(day.name, language="en"), "policy-name")]
    for place, line in enumerate(lines, start=1):
        drawn.append(text((0, 42 + LINE * place), line, "note"))
    return drawn


def _describe_trades(verb: str, traded: TradedSlots, numbers: Numbers) -> str:
    if traded.mean_price is None:
        return f"{verb} in no slot"
    price = numbers.price_per_kwh(traded.mean_price)
    return (
        f"{verb} {numbers.energy(traded.kwh)} in {traded.slots} slots at {price} "
        f"({traded.cheap} cheap, {traded.dear} dear)"
    )


def _draw_key(css: str, words: str, place: tuple[float, float]) -> Markup:
    x, y = place
    if css.startswith("dot"):
        sign = circle((x + 10, y - 4), 3, css)
    elif css.endswith("line"):
        sign = path(f"M{x:g} {y - 4:g}h20", f"line {css}")
    else:
        sign = rectangle((x, y - 10, 20, 12), css)
    return sign + text((x + 26, y), words, "note")


# Less is rounding, no decision.
LITTLE_KWH = 1e-6


def trace_day(
    scene: ReplayData, rules: Rules, result: DayResult, costs: Mapping[str, DayCost]
) -> dict[str, PolicyDayTrace]:
    """Return the traces of policies on a day.

    Args:
        scene: of the day's replay.
        rules: the same replay's.
        result: the day.
        costs: what the replay counts for it, by the policies to be traced.
    """
    part = slice(*result.slots)
    prices = rules.import_price[part]
    capacity_kwh = sum(battery.capacity_kwh for battery in scene.site.batteries)
    traces = {}
    for name, cost in costs.items():
        trajectory = result.trajectories[name]
        flows = trajectory.flows
        net = (flows.charge_kwh - flows.discharge_kwh)[:, 0].sum(axis=0)
        columns = {
            "import_price": prices,
            "export_price": rules.export_price[part],
            "load_kwh": scene.actuals.load_kwh[part],
            "pv_kwh": scene.actuals.pv_kwh[part],
            "charge_kwh": flows.charge_kwh[:, 0].sum(axis=0),
            "discharge_kwh": flows.discharge_kwh[:, 0].sum(axis=0),
            "import_kwh": flows.import_kwh[0],
            "export_kwh": flows.export_kwh[0],
            "soc": flows.stored_kwh[:, 0].sum(axis=0) / capacity_kwh,
        }
        modes = trajectory.mode[:, 0].T.tolist()
        rows = zip(trajectory.timeline, modes, *columns.values(), strict=True)
        slots = []
        for start, slot_modes, *values in rows:
            words = ", ".join(Mode(mode).word for mode in slot_modes)
            figures = dict(zip(columns, map(float, values), strict=True))
            slots.append(SlotTrace(start=start, mode=words, **figures))
        traces[name] = PolicyDayTrace(
            cost=cost.cost,
            value_gain=cost.value_gain,
            charging=count_traded(net, prices),
            discharging=count_traded(-net, prices),
            slots=slots,
        )
    return traces


def count_traded(energy_kwh: FloatArray, price: FloatArray) -> TradedSlots:
    """Return the number, energy and mean price of slots in which energy flows.

    A slot below the day's median price is cheap, every other one dear.
    """
    traded = energy_kwh > LITTLE_KWH
    count = int(traded.sum())
    cheap = int((traded & (price < np.median(price))).sum())
    mean = float(price[traded].mean()) if count else None
    return TradedSlots(
        slots=count,
        kwh=float(energy_kwh[traded].sum()),
        mean_price=mean,
        cheap=cheap,
        dear=count - cheap,
    )
