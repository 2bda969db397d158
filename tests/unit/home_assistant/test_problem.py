"""What Home Assistant calls a problem of a site."""

from datetime import UTC, datetime

from luna.energy.site import parse_site
from luna.house.findings import SiteFinding
from luna.words import Numbers
from services.home_assistant.entities import list_entities, numbers_of
from tests.support.control.house import house_of
from tests.support.suite.tables import each_row

NOW = datetime(2026, 5, 20, 14, 37, tzinfo=UTC)
SITE = parse_site({"name": "home", "timezone": "UTC"})
FOUND = {
    "no_plan": SiteFinding("no_plan", "armed"),
    "plan_old": SiteFinding("plan_old", "old", {"at": NOW}),
    "plan_compromised": SiteFinding(
        "plan_compromised",
        "car",
        {"missed": [{"code": "", "constraint": "car", "shortfall": "2 kWh", "figures": {}}]},
    ),
    "device_silent": SiteFinding("device_silent", "battery", {"device": "batteries", "at": NOW}),
    "sensors_silent": SiteFinding("sensors_silent", "silent", {"at": NOW}),
    "agent_offered": SiteFinding("agent_offered", "offered", {"mode": "battery"}),
}


def state_of(*codes: str, planned_before: bool) -> object:
    findings = tuple(FOUND[code] for code in codes)
    view = house_of(SITE, None, NOW, findings=findings, planned_before=planned_before)
    numbers: Numbers = numbers_of(view, "en")
    problem = next(
        each for each in list_entities(view, numbers, commands=False) if each.key == "problem"
    )
    assert problem.state is not None
    return problem.state(view, numbers)


@each_row(
    ("codes", "planned_before", "state"),
    [
        ([], False, "OFF"),
        # Armed in its first minute: the first plan is still to come.
        (["no_plan"], False, "OFF"),
        (["no_plan"], True, "ON"),
        (["plan_old"], True, "ON"),
        (["device_silent"], False, "ON"),
        (["sensors_silent"], False, "ON"),
        (["plan_compromised", "agent_offered"], True, "OFF"),
        (["agent_offered", "device_silent"], True, "ON"),
    ],
)
def test_a_problem_is_what_was_there_and_is_missing_or_a_command_that_failed(
    codes: list[str], planned_before: bool, state: str
) -> None:
    assert state_of(*codes, planned_before=planned_before) == state
