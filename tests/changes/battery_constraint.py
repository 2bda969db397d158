"""A constraint of a battery: quiet nights, in which it charges with less."""

from tests.changes.change import Change, Edit

FIELD = (
    '    quiet_charge_kw: Annotated[float | None, Field(ge=0, description="charged with no '
    'more from 22:00 to 06:00; empty: as by day")] = None\n'
)

BEFORE = """"max_soc; empty: any number"
),
),
] = None"""

CONSTRAINT = """

# --- quiet nights ---------------------------------------------------------------------------------


def _quiet_slots(problem: Problem) -> BoolArray:
    return window_holds(
        ClockWindow.model_validate({"from": "22:00", "to": "06:00"}),
        problem.outlook.timeline.starts,
        ZoneInfo(problem.site.timezone),
    )


def _quiet_kwh(problem: Problem, index: int) -> FloatArray:
    most = problem.site.batteries[index].quiet_charge_kw or 0.0
    return np.where(_quiet_slots(problem), most * problem.outlook.timeline.hours, np.inf)


def _add_quiet(builder: ModelBuilder, problem: Problem, columns: Indices, index: int) -> None:
    builder.add_rows(
        np.full(columns[0].size, -np.inf), _quiet_kwh(problem, index), [(columns[0], 1.0)]
    )


def _missed_quiet(problem: Problem, flows: Flows, index: int) -> float:
    return float(np.maximum(flows.charge_kwh[index] - _quiet_kwh(problem, index), 0.0).sum())


def _quiet_at_work(problem: Problem, flows: Flows, index: int) -> BoolArray:
    return np.asarray(flows.charge_kwh[index] >= _quiet_kwh(problem, index) - _NOTHING_KWH)

"""

DECLARED = """    BatteryConstraint(
        "quiet",
        lambda battery: battery.quiet_charge_kw is not None,
        "where_kept",
        _add_quiet,
        _missed_quiet,
        _quiet_at_work,
    ),
"""

# By language its folder has: the limit, and the reason in full and for small screens.
WORDS = {
    "en": """limit_quiet = quiet at night
reason_quiet_1 = Waits: it charges quietly at night.
short_quiet_1 = Quiet at night
""",
    "de": """limit_quiet = nachts leise
reason_quiet_1 = Wartet: Nachts lädt sie leise.
short_quiet_1 = Nachts leise
""",
}
LAST = {
    "en": "short_learned_3 = Antares decides",
    "de": "short_learned_3 = Antares entscheidet",
}

PROOF = """
from datetime import UTC, datetime

from luna.contracts.plan import PlanRequest
from services.planner.milp.solver import Solver
from services.planner.reply.reply import plan_request

start = datetime(2024, 2, 1, 21, tzinfo=UTC)
battery = {
    "capacity_kwh": 10,
    "charge_limit_kw": 5,
    "discharge_limit_kw": 5,
    "quiet_charge_kw": 1.0,
}
site = {"name": "home", "timezone": "UTC", "batteries": [battery]}
count = 96
outlook = {
    "load_kwh": [0.2] * count,
    "pv_kwh": [0.0] * count,
    "import_price": [0.1] * 40 + [0.5] * 56,
    "export_price": [0.0] * count,
}
request = {
    "start": start.isoformat(),
    "site": site,
    "outlook": outlook,
    "state": {"batteries": {"battery": {"soc": 0.0}}},
}
reply = plan_request(PlanRequest.model_validate(request), now=start, solver=Solver())
charged = [slot.batteries["battery"].charge_kwh * 4 for slot in reply.slots]
assert max(charged[4:36]) <= 1.0 + 1e-6, charged
assert sum(charged) / 4 > 9.0, charged
assert any("quiet at night" in slot.reason.binding for slot in reply.slots), [
    slot.reason.binding for slot in reply.slots
]
"""

LINES = (
    "batteries:                        # any number, each with its own name; charge and "
    "discharge are measured at the terminals"
)
EXAMPLE = (
    "    # quiet_charge_kw: 1          # charged with no more from 22:00 to 06:00; default as "
    "by day\n"
)
IMPORTS = (
    "from luna.energy.local_times import window_holds\nfrom luna.energy.clock_window "
    "import ClockWindow\n"
)
HOME = "services/planner/milp/battery_constraints.py"

CHANGE = Change(
    "a constraint of a battery",
    (
        Edit("luna/energy/devices/battery.py", FIELD, after=BEFORE),
        Edit("config/site.yaml", EXAMPLE, after=LINES),
        Edit(HOME, IMPORTS, after="from luna.energy.devices.battery import Battery"),
        Edit(
            HOME,
            CONSTRAINT + "BATTERY_CONSTRAINTS = (\n" + DECLARED,
            after="BATTERY_CONSTRAINTS = (",
            instead=True,
        ),
        *(
            Edit(
                f"luna/words/catalogue/{language}/battery_reasons.ftl",
                WORDS[language],
                after=LAST[language],
            )
            for language in WORDS
        ),
    ),
    PROOF,
)
