"""Checks on the page Installation and findings of the doctor: every code, in every language."""

import ast
import inspect
import re
from datetime import UTC, date, datetime
from functools import partial
from html import unescape
from types import SimpleNamespace

import pytest

from luna.contracts.health import Check, InstanceReply, ServiceReply
from luna.energy.errors import InvalidInputError
from luna.house.doctor import examination
from luna.house.doctor.finding import DoctorFinding
from luna.platform.database import unreadable_rows
from luna.words.catalogue import CATALOGUE
from luna.words.checks import FAULTS, format_fault, name_service
from luna.words.checks import REMEDIES as CHECK_REMEDIES
from luna.words.doctor import ERROR, FINDINGS, KINDS, REMEDIES
from luna.words.language import Language
from luna.words.pages import page_words
from services.api.pages.admin.pages import join_checks
from services.api.pages.layout import templates
from tests.support.words.english import find_english
from tests.support.words.wording import list_figures_of

AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
# Calls that name the code of a finding.
FINDING = re.compile("DoctorFinding|_Freshness")
COMMAND = re.compile(r"\bluna [a-z]")


def fail_every_check() -> tuple[Check, ...]:
    """Return a failed check of every fault that has words."""
    checks = []
    for key in FAULTS:
        name, _, rest = key.partition("-")
        # Errors of the file storage have no reason: the code of their class counts.
        code = rest if name == "objects" else key
        figures = dict.fromkeys(list_figures_of("checks", f"fault_{key}"), 7)
        detail = "the server does not answer"
        checks.append(
            Check(name, ok=False, latency_ms=1.0, detail=detail, code=code, figures=figures)
        )
    return tuple(checks)


@pytest.mark.parametrize("language", CATALOGUE.languages)
def test_every_failed_check_says_what_is_wrong_and_what_to_do(language: Language) -> None:
    checks = fail_every_check()
    instance = InstanceReply(
        name="node", version="1", started_at=AT, ready=False, checks=checks, sites=()
    )
    missing = tuple(check.name for check in checks)
    service = ServiceReply(service="api", ready=False, missing=missing, instances=(instance,))
    words = page_words("admin", language)
    page = (
        templates()
        .get_template("admin_services.html.j2")
        .render(
            t=words,
            panel=SimpleNamespace(content={"services": [service]}),
            instant=str,
            measure=lambda value, unit, _: f"{value} {unit}",
            name_service=partial(name_service, language=language),
            name_checks=lambda names: join_checks(names, language=language),
            format_fault=lambda name, code, figures: format_fault(name, code, figures, language),
        )
    )
    text = unescape(page)
    for key in FAULTS:
        assert (
            FAULTS.fill(key, language, dict.fromkeys(list_figures_of("checks", f"fault_{key}"), 7))
            in text
        )
        assert CHECK_REMEDIES.say(key, language) in text
    assert not COMMAND.search(text)
    assert language == "en" or find_english(page) == []


def test_a_fault_of_a_newer_release_is_said_by_its_check() -> None:
    assert format_fault("redis", "melted", {}, "de").fault == FAULTS.say("redis", "de")
    assert format_fault("flux", "melted", {}, "de").fault == FAULTS.say("other", "de")
    # A figure that its sentence needs is not there.
    assert format_fault("database", "tables-outdated", {}, "de").fault == FAULTS.say(
        "database", "de"
    )


def test_every_finding_of_the_doctor_has_words_and_all_but_a_good_one_say_what_to_do() -> None:
    texts = inspect.getsource(examination)
    codes: set[str] = set()
    good: set[str] = set()
    for call in ast.walk(ast.parse(texts)):
        if not isinstance(call, ast.Call) or not FINDING.search(ast.unparse(call.func)):
            continue
        given = {str(arg.value) for arg in call.args if isinstance(arg, ast.Constant)}
        codes |= given & set(FINDINGS)
        if "ok" in given:
            good |= given & set(FINDINGS)
    assert codes == set(FINDINGS) - {ERROR}
    of_checks = {"worker-lacks", "dependency-away", "unreadable-rows"}
    assert codes - good - of_checks <= set(REMEDIES)
    assert unreadable_rows.KINDS == set(KINDS) <= set(REMEDIES)


@pytest.mark.parametrize("language", CATALOGUE.languages)
def test_a_finding_is_said_in_its_reader_s_language_with_the_command_that_helps(
    language: Language,
) -> None:
    samples = {
        "count": 2,
        "free": 1.5,
        "at": AT,
        "day": date(2026, 12, 24),
        "kind": "plans",
        "check": "redis",
        "fault": "unavailable",
        "fault_figures": {},
    }
    said = []
    for code in set(FINDINGS) - {ERROR}:
        figures = {
            name: samples.get(name, "x") for name in list_figures_of("doctor", f"finding_{code}")
        }
        if "fault" in figures:
            figures |= {"check": "redis", "fault_figures": {}}
        finding = DoctorFinding("disk", "warning", code, figures, command="luna jobs list")
        said.append(". ".join(finding.format(language)))
        assert finding.document()["detail"] == finding.format("en").detail
    assert all("luna jobs list" in text for text in said)
    assert language == "en" or find_english(f"<p>{'</p><p>'.join(said)}</p>") == []
    error = DoctorFinding.of_error(
        "configuration", InvalidInputError("is not a number", field="LUNA_API_PORT")
    )
    assert error.format(language).detail.startswith("LUNA_API_PORT: ")
    assert "is not a number" in error.format(language).detail
