"""A kind of tariff that couples slots: beyond a cap of each local week a kWh costs more."""

from tests.changes.change import Change, Edit

COMPONENT = '''"""A component that costs more beyond a cap of each local week."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from luna.energy.tariffs.component import PricedSlots, UnitComponent, UnitPrice
from luna.energy.timeline import FloatArray


class WeeklyCapComponent(UnitComponent):
    """One price up to a cap of each local week, a dearer one beyond it."""

    kind: Literal["weekly_cap"]
    price: UnitPrice
    weekly_kwh: Annotated[float, Field(gt=0, le=10_000)]
    surcharge: UnitPrice

    @property
    def counts_drawn(self) -> bool:
        return True

    def undated_price(self, slots: PricedSlots) -> FloatArray:
        return np.full(slots.timeline.count, self.per_kwh(self.price))
'''

CHARGE = '''

@charges(WeeklyCapComponent)
@dataclass(frozen=True, slots=True)
class WeeklyCap:
    """What each local week may draw before a kWh costs more, and what this one has drawn."""

    counts_month: ClassVar[bool] = False

    weekly_kwh: float
    surcharge: float
    drawn_kwh: float = 0.0

    @classmethod
    def of(cls, component: WeeklyCapComponent, drawn_kwh: float) -> Self:
        return cls(component.weekly_kwh, component.per_kwh(component.surcharge), drawn_kwh)

    @property
    def allowance_kwh(self) -> float | None:
        return self.weekly_kwh

    def period_begin(self, instant: datetime, zone: ZoneInfo) -> datetime:
        day = instant.astimezone(zone).date()
        return local_midnight(day - timedelta(days=day.weekday()), zone)

    def count_drawn(self, import_kwh: FloatArray, past: Timeline, *, zone: ZoneInfo) -> float:
        first = past.first_from(self.period_begin(past.end, zone))
        return float(np.nansum(import_kwh[first:]))

    def weeks(self, timeline: Timeline, zone: ZoneInfo) -> list[tuple[slice, float]]:
        edges = [
            edge
            for edge in split_days(timeline, zone)[1:-1]
            if (timeline.start + edge * timeline.step).astimezone(zone).weekday() == 0
        ]
        edges = [0, *edges, timeline.count]
        return [
            (slice(first, end), max(self.weekly_kwh - (0.0 if first else self.drawn_kwh), 0.0))
            for first, end in zip(edges, edges[1:])
        ]

    def slot_cost(
        self, import_kwh: FloatArray, timeline: Timeline, *, zone: ZoneInfo
    ) -> FloatArray:
        cost = np.zeros(timeline.count)
        for week, left in self.weeks(timeline, zone):
            cost[week] = np.diff(
                np.maximum(np.cumsum(import_kwh[week]) - left, 0.0) * self.surcharge, prepend=0.0
            )
        return cost

    def after(self, import_kwh: FloatArray, timeline: Timeline, *, zone: ZoneInfo) -> Self:
        starts = [week.start for week, _ in self.weeks(timeline, zone)]
        first = [start for start in starts if start <= import_kwh.size][-1]
        return replace(
            self, drawn_kwh=float(import_kwh[first:].sum()) + (0.0 if first else self.drawn_kwh)
        )

'''

ROWS = """

@rows_of(WeeklyCap)
def _add_weekly_cap(
    charge: WeeklyCap, builder: ModelBuilder, bought: Indices, *, timeline: Timeline, zone: ZoneInfo
) -> None:
    for week, left in charge.weeks(timeline, zone):
        beyond = builder.add_columns(1, cost=charge.surcharge, upper=np.inf)
        builder.add_sum(-np.inf, left, [(bought[week], 1.0), (beyond, -1.0)])
"""

PROOF = """
from datetime import UTC, datetime

from luna.contracts.plan import PlanRequest
from services.planner.milp.solver import Solver
from services.planner.reply.reply import plan_request
from luna.energy.economics.prices import price_slots
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline
from zoneinfo import ZoneInfo

# A Sunday and a Monday: each in a week of its own.
start = datetime(2024, 2, 4, tzinfo=UTC)
cap = {"kind": "weekly_cap", "name": "energy", "price": 0.2, "weekly_kwh": 12, "surcharge": 0.3}
tariff = {"import": {"kind": "components", "components": [cap]}}
battery = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
site = {"name": "home", "timezone": "UTC", "batteries": [battery], "tariff": tariff}
# Eight kWh on the first day, 16 on the second:
# whoever stores four on the first day pays no surcharge.
load = [8 / 96] * 96 + [16 / 96] * 96
price = price_slots(
    parse_site(site).tariff, Timeline(start, SLOT, 192), zone=ZoneInfo("UTC"), spot={}
)[0].tolist()
outlook = {
    "load_kwh": load,
    "pv_kwh": [0.0] * 192,
    "import_price": price,
    "export_price": [0.0] * 192,
}
state = {"batteries": {"battery": {"soc": 0.0}}}
options = {"terminal": {"kind": "value", "value": 0.0}}
request = {
    "start": start.isoformat(),
    "site": site,
    "outlook": outlook,
    "state": state,
    "options": options,
}
reply = plan_request(PlanRequest.model_validate(request), now=start, solver=Solver())
first, second = (
    sum(slot.import_kwh for slot in reply.slots[day]) for day in (slice(96), slice(96, None))
)
assert abs(first - 12.0) < 1e-3, first
# 16 kWh less what the 4 stored ones give, (0.95 * 0.95) each: 0.39 kWh lie beyond the cap.
assert abs(second - (16 - 4 * 0.95 * 0.95)) < 1e-3, second
assert abs(reply.cost.import_ - (0.2 * (first + second) + 0.3 * (second - 12))) < 1e-3, reply.cost
used = PlanRequest.model_validate(request | {"state": state | {"drawn_kwh": {"energy": 12}}})
assert (
    sum(slot.import_kwh for slot in plan_request(used, now=start, solver=Solver()).slots[:96])
    < 8 + 1e-3
)
"""

IMPORT = "from luna.energy.tariffs.weekly_cap import WeeklyCapComponent\n"
BLOCKS = "| BlockComponent"
LAST_ROW = """[(free, 1.0), (before, -1.0), (is_beyond, left_kwh)],
name="beyond before",
)"""

CHANGE = Change(
    "a kind of tariff that couples slots",
    (
        Edit("luna/energy/tariffs/weekly_cap.py", COMPONENT),
        Edit(
            "luna/energy/tariffs/components.py",
            IMPORT,
            after="from luna.energy.refusals import invalid_part",
        ),
        Edit(
            "luna/energy/tariffs/components.py",
            "    | WeeklyCapComponent\n",
            after=BLOCKS,
        ),
        Edit(
            "luna/energy/economics/charges.py",
            IMPORT,
            after="from luna.energy.site import ImportRule, PeakPrice",
        ),
        Edit(
            "luna/energy/economics/charges.py",
            CHARGE,
            after="return float(self.rise[:block].sum())",
        ),
        Edit(
            "services/planner/milp/tariffs.py",
            "from luna.energy.economics.charges import WeeklyCap\n",
            after="import numpy as np",
        ),
        Edit("services/planner/milp/tariffs.py", ROWS, after=LAST_ROW),
    ),
    PROOF,
)
