"""A policy of the replay: full by evening, whatever prices are."""

from tests.changes.change import Change, Edit

POLICY = """

@replay_policy("full_by_evening")
def _make_full_by_evening(inputs: PolicyInputs) -> Policy:
    return PlainPolicy(Mode.SAVE, inputs.rules.curtailment)
"""

PROOF = """
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline, local_days
from luna.words import read_policy, say_policy
from services.planner.problem.knowledge import ForecastArchive, PerfectForesight, SitePrices
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.replay import ReplayData, replay

battery = {"capacity_kwh": 8, "charge_limit_kw": 4, "discharge_limit_kw": 4}
site = parse_site(
    {"name": "home", "timezone": "Europe/Berlin", "pv": [{"peak_kw": 5}], "batteries": [battery]}
)
window = local_days(date(2023, 10, 3), date(2023, 10, 3), ZoneInfo("Europe/Berlin"))
around = Timeline(window.start, SLOT, window.count + HORIZON // SLOT)
load, pv = np.full(around.count, 0.1), np.full(around.count, 0.2)
prices = SitePrices(site, Timeline(window.start - 8 * 96 * SLOT, SLOT, 8 * 96 + around.count), {})
reply = replay(
    ReplayData(site, window, PerfectForesight(around, load, pv), prices, ForecastArchive([])),
    ["full_by_evening"],
    every=4,
)
lived = reply.policies["full_by_evening"]
assert lived.cycles == 0.0, lived
assert lived.export_kwh > 0.0, lived
assert say_policy("full_by_evening", language="de") == "Abends voll"
assert read_policy("Full by evening") == "full_by_evening"
"""

CHANGE = Change(
    "a policy of the replay",
    (
        Edit(
            "services/planner/replay/policies.py",
            POLICY,
            after="return Committed(inputs.oracle.setpoints)",
        ),
        *(
            Edit(
                f"luna/words/catalogue/{language}/modes.ftl",
                f"policy_full_by_evening = {said}\n",
                after="policy_mpc = Luna",
            )
            for language, said in (("en", "Full by evening"), ("de", "Abends voll"))
        ),
    ),
    PROOF,
)
