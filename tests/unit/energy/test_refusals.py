"""Refusals of set-up, planning and upload: each has a reason, and a reason has its parameters and
its words in every language.
"""

import ast
import builtins
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from luna.energy.errors import InvalidInputError, LunaError, UnavailableError, read_problem
from luna.energy.refusals import REASONS, RefusalReason, refuse
from luna.energy.refusals.fields import REASONS as OF_FIELDS
from luna.platform.queue.serialization import decode_error, encode_error
from luna.words.catalogue import CATALOGUE
from luna.words.catalogue.fluent_message import list_figures as list_said
from luna.words.refusals import THINGS
from tests.support.documentation.sources import read_sources

# What a form of set-up, the site's page, planning or upload can reach.
REACHED = (
    "luna/energy/site",
    "luna/energy/devices",
    "luna/platform/addresses.py",
    "luna/platform/passwords.py",
    "luna/platform/public_addresses.py",
    "luna/energy/timeline.py",
    "luna/contracts/owner_constraints.py",
    "luna/contracts/charging_sessions.py",
    "luna/house/control_service.py",
    "luna/house/what_if_questions.py",
    "luna/energy/economics",
    "luna/contracts/plan",
    "luna/contracts/owner.py",
    "luna/contracts/alternative.py",
    "luna/contracts/variant.py",
    "luna/contracts/plan_questions.py",
    "luna/contracts/data.py",
    "luna/contracts/replay.py",
    "luna/contracts/history_care.py",
    "luna/platform/database/sites.py",
    "luna/platform/database/setup_drafts.py",
    "luna/platform/database/site_changes.py",
    "luna/platform/database/site_changes.py",
    "luna/platform/database/site_removal.py",
    "luna/platform/database/manual_blocks.py",
    "luna/platform/database/charging_sessions.py",
    "luna/platform/database/what_ifs.py",
    "luna/platform/database/plans.py",
    "luna/platform/database/prices.py",
    "luna/platform/database/quarantine.py",
    "services/planner/devices",
    "services/planner/problem",
    "services/planner/service",
    "services/planner/alternatives",
    "services/planner/variants",
    "services/api/pages/setup",
    "services/api/pages/block_cost.py",
    "services/api/pages/what_ifs.py",
    "services/api/pages/planning_view.py",
    "services/api/pages/data.py",
    "services/api/uploads.py",
    "services/api/routes/uploads.py",
    "services/ingest/file_schema.py",
    "services/ingest/file_guess",
    "services/ingest/batches.py",
    "services/ingest/instants.py",
    "services/ingest/limited_file.py",
    "services/ingest/loading.py",
    "services/ingest/file_units.py",
    "services/ingest/file_row_writer.py",
    "services/ingest/quarantine_release.py",
    "services/rag/extraction/fetching.py",
)
FACTORIES = ("refuse", "invalid_part")
MAKES_ERROR = re.compile(r"Error\(")
GIVES_REASON = re.compile(rf"\b(?:{'|'.join(FACTORIES)})\(")
# Whose errors end in a terminal or a log, or are worded by what they happened to (files of
# documents, devices, sources).
BEHIND_PAGES = (
    "luna/energy/errors.py",
    "luna/energy/refusals/",
    "luna/words/",
    "luna/simulated_home/",
    *(
        f"luna/platform/{room}/"
        for room in (
            "embedded",
            "settings",
            "objects",
            "spool",
            "health",
            "doctor",
            "drivers/control",
        )
    ),
    *(
        f"services/{room}/"
        for room in (
            "cli",
            "backup",
            "edge",
            "notifier",
            "home_assistant",
            "executor",
            "steering",
            "ocpp",
        )
    ),
    *(f"services/agent/{room}/" for room in ("environment", "reinforcement", "imitation")),
    *(f"services/planner/{room}/" for room in ("milp", "dp", "linear")),
    *(f"services/rag/{room}" for room in ("evaluation.py", "extraction/", "language.py")),
    *(f"services/ingest/{room}/" for room in ("sources", "demo_data")),
)
# Python's own, and what is worded for its reader already.
WITHOUT_REASON = {*dir(builtins), "SpokenError"}
SHARE_WITH_REASON = 0.85
# Read by who reads a file of lines, and worded there.
CAUGHT = {
    "services/ingest/batches.py",
    "services/api/pages/setup/network.py",
    "services/api/pages/setup/home_assistant.py",
}


@dataclass(frozen=True)
class Source:
    """What a source file calls, assigns and raises."""

    calls: list[ast.Call]
    assigned: list[ast.Assign]
    raised: list[ast.expr | None]

    @classmethod
    def of(cls, text: str) -> "Source":
        source = cls([], [], [])
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call):
                source.calls.append(node)
            elif isinstance(node, ast.Assign):
                source.assigned.append(node)
            elif isinstance(node, ast.Raise):
                source.raised.append(node.exc)
        return source


def is_shown(path: str) -> bool:
    return path.startswith(REACHED) or not path.startswith(BEHIND_PAGES)


@cache
def parse_sources() -> dict[str, Source]:
    """Return what is in every source file that gives a reason, or makes an error that a page may
    show, by path.
    """
    return {
        path: Source.of(text)
        for path, text in read_sources("luna", "services").items()
        if GIVES_REASON.search(text) or (MAKES_ERROR.search(text) and is_shown(path))
    }


def name_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def list_bare(path: str, source: Source) -> Iterator[str]:
    """Yield where an error is raised without a reason.

    One that takes over another's is told it later.
    """
    kinds = {
        "InvalidInputError",
        "NotFoundError",
        "ConflictError",
        "OutdatedError",
        "UnreadableError",
        "UnavailableError",
        "LunaError",
    }
    taken_over = {
        each.func.value.id
        for each in source.calls
        if isinstance(each.func, ast.Attribute)
        and each.func.attr == "because"
        and isinstance(each.func.value, ast.Name)
    }
    kept = {
        id(node.value)
        for node in source.assigned
        if isinstance(node.targets[0], ast.Name) and node.targets[0].id in taken_over
    }
    for call in source.calls:
        if name_of(call) in kinds and id(call) not in kept:
            yield f"{path}:{call.lineno}"
    if path not in CAUGHT:
        yield from (
            f"{path}:{each.lineno}"
            for each in source.raised
            if isinstance(each, ast.Call) and name_of(each) == "ValueError"
        )


def list_figures(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def all_figures(code: str, reason: RefusalReason) -> set[str]:
    """Return the parameters that API and command line name, and pages in any language."""
    told = [
        CATALOGUE.read("refusals", language)[f"{part}_{code}"].parts
        for language in CATALOGUE.languages
        for part in ("sentence", "remedy")
    ]
    return set().union(
        list_figures(reason.message or ""),
        list_figures(reason.remedy or ""),
        reason.kinds,
        *map(list_said, told),
    )


def test_every_refusal_of_set_up_planning_and_upload_has_a_reason() -> None:
    sources = {path: source for path, source in parse_sources().items() if path.startswith(REACHED)}
    bare = [each for path, source in sources.items() for each in list_bare(path, source)]
    with_reason = sum(
        name_of(call) in FACTORIES for source in sources.values() for call in source.calls
    )
    assert not bare, f"{len(bare)} refusals are not said in German, {with_reason} are: {bare}"
    assert with_reason > 150


def test_most_errors_that_a_page_may_show_have_a_reason() -> None:
    calls = [
        name_of(call)
        for path, source in parse_sources().items()
        if not path.startswith(BEHIND_PAGES)
        for call in source.calls
    ]
    with_reason = sum(name in FACTORIES for name in calls)
    bare = sum(name.endswith("Error") and name not in WITHOUT_REASON for name in calls)
    assert with_reason > 450
    assert with_reason / (with_reason + bare) >= SHARE_WITH_REASON


def test_each_refusal_gives_its_reason_all_of_the_figures_that_are_said() -> None:
    wrong = []
    for path, source in parse_sources().items():
        for call in source.calls:
            if name_of(call) not in FACTORIES or not isinstance(call.args[0], ast.Constant):
                continue
            given = {each.arg for each in call.keywords}
            reason = REASONS.get(str(call.args[0].value))
            if reason is None or (
                None not in given and not all_figures(str(call.args[0].value), reason) <= given
            ):
                wrong.append(f"{path}:{call.lineno}")
    assert not wrong


def test_each_thing_that_a_refusal_speaks_of_has_words() -> None:
    things = {
        str(each.value.value)
        for source in parse_sources().values()
        for call in source.calls
        if name_of(call) in FACTORIES
        for each in call.keywords
        if each.arg == "thing" and isinstance(each.value, ast.Constant)
    }
    assert things - set(THINGS) == set()


def test_each_reason_is_given_somewhere() -> None:
    texts = [
        text
        for path, text in read_sources("luna", "services").items()
        if "luna/energy/refusals" not in path
    ]
    named = set(re.findall(r"""["']([a-z0-9-]+)["']""", "\n".join(texts)))
    assert {code for code in REASONS if code not in OF_FIELDS} - named == set()


@pytest.mark.parametrize("code", ["no-such-device"])
def test_a_reason_goes_through_queue_and_problem_document(code: str) -> None:
    error = refuse(code, field="manual.0.device", value="toaster", names=("battery", "car"))
    assert str(error) == f"manual.0.device: {error.message} (got 'toaster'). {error.remedy}"
    assert "battery, car" in str(error.remedy)
    for read in (decode_error(encode_error(error)), read_problem(error.problem())):
        assert type(read) is InvalidInputError
        assert (read.reason, read.parameters) == (code, {"names": ["battery", "car"]})


def test_an_error_without_a_reason_says_none() -> None:
    assert "reason" not in LunaError("bent").problem()
    assert (
        decode_error(
            '{"codes": ["unavailable"], "message": "away", "field": null, "value": null, '
            '"remedy": null}'
        ).reason
        is None
    )
    assert isinstance(refuse("nothing-fetched", fault="no route"), UnavailableError)
