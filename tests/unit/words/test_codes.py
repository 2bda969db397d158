"""Codes that the code gives away have words, with no more figures than come with them."""

import re
from dataclasses import replace
from string import Formatter

from luna.words import LIMITS, Language
from luna.words.catalogue import CATALOGUE
from luna.words.messages import MESSAGES, TITLES
from luna.words.notes import NOTES
from luna.words.reason_wordings import find_wordings
from services.notifier.notification import KINDS
from services.planner.milp.battery_constraints import BATTERY_CONSTRAINTS
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.reply.causes.declaration import Cause
from services.planner.reply.causes.precedence import list_groups
from services.planner.reply.evidence import Evidence
from tests.support.documentation.sources import read_sources
from tests.support.planning.problems import describe_site, make_problem
from tests.support.suite.tables import each_row

ASSUMPTION = re.compile(r'\bAssumption\(\s*code="(\w+)"')


def _list_causes() -> list[Cause]:
    """Return every cause: which figures it brings does not depend on the plan."""
    series = {"load_kwh": 0.3, "pv_kwh": 0.0, "import_price": [0.2, 0.4], "export_price": 0.1}
    problem = make_problem(describe_site({"max_cycles_per_day": 1.0}), series)
    plan = replace(make_plan(problem, Solver()), followed="learned")
    return [cause for _, causes in list_groups(Evidence(plan)) for cause in causes]


@each_row("language", CATALOGUE.languages)
def test_causes_bring_the_figures_of_one_of_their_wordings(language: Language) -> None:
    causes = _list_causes()
    assert {"learned", "cycles"} < {cause.code for cause in causes}
    wordless = []
    for cause in causes:
        given = {*cause.figures, "start"} | ({"at_time"} if "time" in cause.figures else set())
        wordings = find_wordings(cause.code, language)
        if not any(_read_names(wording.text) <= given for wording in wordings):
            wordless.append((cause.code, sorted(cause.figures)))
    assert wordless == []


def _read_names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_constraint_of_batteries_has_a_limit_with_words() -> None:
    at_work = [each for each in BATTERY_CONSTRAINTS if each.at_work is not None]
    limits = {constraint.code for constraint in at_work}
    assert limits
    assert limits - set(LIMITS) == set()


def test_every_note_of_the_planner_has_words() -> None:
    texts = read_sources("services/planner").values()
    codes = {code for text in texts for code in ASSUMPTION.findall(text)}
    assert len(codes) > 5
    assert codes - set(NOTES) == set()


def test_every_message_to_owners_has_a_title_and_a_text() -> None:
    assert set(KINDS) - set(MESSAGES) == set()
    assert set(MESSAGES) == set(TITLES)
