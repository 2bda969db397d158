"""Every form filled in wrong: what is said stands in the reader's language, with what to do, and
nothing was changed.
"""

import html
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from luna.energy.errors import InvalidInputError, UnavailableError
from luna.energy.refusals import refuse
from luna.energy.timeline import SLOT, floor_to
from luna.platform.clock import SystemClock
from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.words import Language
from tests.support.control.inverters import describe
from tests.support.gateway.server import serve
from tests.support.pages.site_with_history import (
    describe_furnished,
    forget_furnished,
    furnish,
    plan_now,
    refuse_row,
)
from tests.support.suite import depth
from tests.support.suite.tables import each_row
from tests.support.words.wording import wording, wording_pattern

HOME = "/ui/sites/home"
NOW = floor_to(SystemClock().now(), SLOT)
SPAN = {
    "from": (NOW + timedelta(hours=8)).isoformat(),
    "to": (NOW + timedelta(hours=10)).isoformat(),
}
PAST = {
    "from": (NOW - timedelta(hours=3)).isoformat(),
    "to": (NOW - timedelta(hours=2)).isoformat(),
}
BACKWARDS = {"from": SPAN["to"], "to": SPAN["from"]}
BLOCK = {"device": "battery", "action": "charge"}
SESSION = {"vehicle": "car", "arrival": "40"}
FIELD = {"mode": "charge"}
LONG = {"from": SPAN["from"], "to": (NOW + timedelta(days=400)).isoformat()}

# path, form, the reason of the refusal, and the figures of its words in German and in English.
WRONG: list[tuple[str, str, dict[str, str], str, dict[str, tuple[str, str]]]] = [
    ("power", "/planning/blocks", BLOCK | SPAN | {"power_kw": "viel"}, "expected-number", {}),
    (
        "much power",
        "/planning/blocks",
        BLOCK | SPAN | {"power_kw": "99"},
        "power-beyond",
        {"device": ("Batterie", "Battery"), "most": ("5", "5")},
    ),
    (
        "power of a pause",
        "/planning/blocks",
        BLOCK | SPAN | {"action": "hold", "power_kw": "2"},
        "power-without-charge",
        {},
    ),
    ("block backwards", "/planning/blocks", BLOCK | BACKWARDS, "ends-before-start", {}),
    ("block in the past", "/planning/blocks", BLOCK | PAST, "time-passed", {}),
    ("long block", "/planning/blocks", BLOCK | LONG, "block-too-long", {"days": ("14", "14")}),
    (
        "no such device",
        "/planning/blocks",
        BLOCK | SPAN | {"device": "toaster"},
        "no-such-device",
        {},
    ),
    (
        "no such action",
        "/planning/blocks",
        BLOCK | SPAN | {"action": "dance"},
        "expected-choice",
        {},
    ),
    (
        "what the device cannot",
        "/planning/blocks",
        BLOCK | SPAN | {"action": "on"},
        "no-such-mode",
        {"device": ("Batterie", "Battery")},
    ),
    (
        "no time",
        "/planning/blocks",
        BLOCK | SPAN | {"from": "soon"},
        "expected-instant",
        {},
    ),
    ("nothing filled in", "/planning/blocks", {}, "missing", {}),
    (
        "no such block",
        "/planning/blocks/4711/take-back",
        {},
        "not-found",
        {"thing": ("Diese Vorgabe", "This override")},
    ),
    (
        "heat for days",
        "/planning/heat",
        {"device": "boiler", "hours": "99"},
        "less-than-equal",
        {"le": ("24", "24"), "unit": ("", "")},
    ),
    ("no control", "bare:/planning/arm", {"sure": "true"}, "no-control", {}),
    (
        "foreign device",
        "/planning/resume",
        {"device": "load:toaster"},
        "device-not-controlled",
        {"devices": ("Batterie", "Battery")},
    ),
    ("unknown arrival", "/planning/sessions", {"vehicle": "car"} | SPAN, "arrival-unknown", {}),
    (
        "no such car",
        "/planning/sessions",
        SESSION | SPAN | {"vehicle": "boat"},
        "no-such-device",
        {"names": ("Auto", "Car")},
    ),
    (
        "more than full",
        "/planning/sessions",
        SESSION | SPAN | {"target": "120"},
        "less-than-equal",
        {"le": ("100", "100"), "unit": ("", "")},
    ),
    ("stay backwards", "/planning/sessions", SESSION | BACKWARDS, "ends-before-start", {}),
    ("stay in the past", "/planning/sessions", SESSION | PAST, "time-passed", {}),
    (
        "override until yesterday",
        "/home/override",
        FIELD | {"until": PAST["to"]},
        "time-passed",
        {},
    ),
    (
        "override of nothing",
        "/home/override",
        FIELD | {"until": SPAN["to"], "device": "load:toaster"},
        "device-not-controlled",
        {"devices": ("Batterie", "Battery")},
    ),
    (
        "no such mode",
        "/home/override",
        {"mode": "dance", "until": SPAN["to"]},
        "no-such-mode",
        {"device": ("Batterie", "Battery")},
    ),
    (
        "no such decision",
        "/data/quarantine/4711/dismissed",
        {},
        "not-found",
        {"thing": ("Diese Zeile", "This row")},
    ),
    ("nothing corrected", "/data/quarantine/ROW/corrected", {}, "no-value-changed", {}),
    ("no worker", "/data/quarantine/ROW/dismissed", {}, "no-reply", {"seconds": ("0,2", "0.2")}),
    ("no such month", "/data/quality?month=13", {}, "form-month", {}),
    (
        "days upside down",
        "/what-ifs",
        {"from": "2026-10-20", "to": "2026-10-01", "fixed_price": "30"},
        "ends-before-start",
        {},
    ),
    (
        "no such version",
        "/forecasts/promote",
        {"version": "oracle"},
        "no-reply",
        {"seconds": ("0,2", "0.2")},
    ),
    ("draft that is gone", "/ui/setup/0123456789abcdef/site", {"go": "next"}, "no-such-draft", {}),
    ("no such site", "/ui/sites/nowhere/planning/vacation", {"on": "true"}, "no-such-site", {}),
]
# path, form, and the code of what the page itself says.
WRONG_ON_PAGE: list[tuple[str, str, dict[str, str], str, str]] = [
    ("unsure", "/planning/arm", {}, "planning", "arm_unsure"),
    (
        "no change asked",
        "/what-ifs",
        {"from": "2026-10-01", "to": "2026-10-20"},
        "what_ifs",
        "nothing_changed",
    ),
    ("no price", "/what-ifs", {"fixed_price": "x"}, "what_ifs", "no_number"),
]


@pytest.fixture(scope="module")
def row(database: Engine) -> Iterator[int]:
    with unit_of_work(database) as connection:
        site = describe_furnished(control=describe())
        furnish(connection, site, last=date(2026, 10, 27))
        plan_now(connection, site, SystemClock().now())
        sites.save(connection, describe_furnished("bare"))
        number = refuse_row(connection, "home", 7)
    yield number
    with unit_of_work(database) as connection:
        forget_furnished(connection, "home", "bare")


@pytest.fixture(scope="module")
def api(
    redis_url: str, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    settings: dict[str, Any] = {
        "data_folder": tmp_path_factory.mktemp("data"),
        "plan_timeout": timedelta(milliseconds=200),
    }
    with serve(Addresses(database_url=database_url, redis_url=redis_url), **settings) as client:
        yield client


def address(path: str, row: int) -> str:
    if path.startswith("/ui/"):
        return path
    return (
        f"/ui/sites/bare{path.removeprefix('bare:')}"
        if path.startswith("bare:")
        else f"{HOME}{path}"
    ).replace("ROW", str(row))


def read_alert(answer: httpx.Response) -> str:
    part = re.search(r'role="alert">(.*?)</section>', answer.text, re.DOTALL)
    assert part is not None, answer.text[:500]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", part[1])))


LANGUAGES: tuple[Language, Language] = ("de", "en")
ENGLISH = re.compile(
    r"\b(the|is|are|no|not|of|with|cannot|should|input|field|valid|at least|at most|there|"
    r"choose|luna (manual|session|data)|POST|Error)\b"
)


def choose_languages(number: int) -> Sequence[Language]:
    """Return German, and English in a long run and for one form of four."""
    return LANGUAGES if depth.LONG or number % 4 == 0 else LANGUAGES[:1]


def read_refusals(
    api: httpx.Client, path: str, form: dict[str, str], languages: Sequence[Language] = LANGUAGES
) -> list[str]:
    """Return what readers are told of a form, a German one first."""
    answers = [
        api.post(path, data=form, headers={"Accept-Language": language}) for language in languages
    ]
    assert [answer.status_code for answer in answers if not 400 <= answer.status_code < 600] == []
    german, *others = (read_alert(answer) for answer in answers)
    assert not ENGLISH.search(german), german
    assert german not in others
    return [german, *others]


@each_row(
    ("number", "path", "form", "reason", "figures"),
    [(number, *each[1:]) for number, each in enumerate(WRONG)],
    ids=[each[0] for each in WRONG],
)
def test_what_is_refused_is_said_in_the_reader_s_language_with_what_to_do(
    api: httpx.Client,
    row: int,
    number: int,
    path: str,
    form: dict[str, str],
    reason: str,
    figures: dict[str, tuple[str, str]],
) -> None:
    languages = choose_languages(number)
    told = read_refusals(api, address(path, row), form, languages)
    for place, language in enumerate(languages):
        said = {name: texts[place] for name, texts in figures.items()}
        for part in ("sentence", "remedy"):
            assert wording_pattern("refusals", f"{part}_{reason}", language, **said).search(
                told[place]
            ), told[place]


@each_row(
    ("path", "form", "topic", "code"),
    [case[1:] for case in WRONG_ON_PAGE],
    ids=[case[0] for case in WRONG_ON_PAGE],
)
def test_what_a_page_itself_refuses_is_said_in_the_reader_s_language(
    api: httpx.Client, row: int, path: str, form: dict[str, str], topic: str, code: str
) -> None:
    told = read_refusals(api, address(path, row), form)
    for place, language in enumerate(LANGUAGES):
        assert wording(topic, code, language) in told[place]


def test_a_file_that_is_none_is_refused_in_words(api: httpx.Client, row: int) -> None:
    parts = {"kind": (None, "observations")}
    told = [
        read_alert(
            api.post(f"{HOME}/data/uploads", files=parts, headers={"Accept-Language": language})
        )
        for language in ("de", "en")
    ]
    assert wording("refusals", "sentence_form-without-file", "de") in told[0]
    assert wording("refusals", "sentence_form-without-file", "en") in told[1]


def test_a_cost_that_cannot_be_said_is_no_error_and_says_why(api: httpx.Client, row: int) -> None:
    address = f"{HOME}/planning/cost"
    told = [
        api.get(
            address,
            params=BLOCK | PAST,
            headers={"Accept-Language": language, "HX-Request": "true"},
        ).text
        for language in ("de", "en")
    ]
    assert wording("refusals", "sentence_time-passed", "de") in html.unescape(told[0])
    assert wording("refusals", "sentence_time-passed", "en") in html.unescape(told[1])


def test_a_service_that_fails_is_said_without_its_own_text(
    api: httpx.Client, row: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = [
        UnavailableError("the frobnicator does not answer", remedy="Straighten it."),
        InvalidInputError("the frobnicator is bent", field="batteries.1.capacity_kwh", value=3.5),
        refuse("database-away", field="database", why="connection refused by the server"),
    ]
    for fault in faults:

        def fail(*_: object, fault: Exception = fault, **__: object) -> None:
            raise fault

        monkeypatch.setattr(sites, "load", fail)
        monkeypatch.setattr(sites, "read", fail)
        answer = api.get(f"{HOME}/site", headers={"Accept-Language": "de"})
        told = read_alert(answer)
        assert not ENGLISH.search(told), told
        assert "frobnicator" not in answer.text
        assert "refused by" not in answer.text
        number = answer.headers["X-Trace-Id"]
        assert wording("every_page", "error_report", "de", trace_id=number) in told


def test_a_wrong_field_of_a_home_is_named_as_its_form_labels_it(
    api: httpx.Client, row: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        field = "site.batteries.0.min_soc"
        raise refuse("soc-beyond", field=field, value=1.5, name="car", max_soc=0.9)

    monkeypatch.setattr(sites, "read", fail)
    told = read_alert(api.get(f"{HOME}/site", headers={"Accept-Language": "de"}))
    assert wording("every_page", "error_where", "de", field="Batterie: Reserve") in told
    assert "(1,5)" in told
    assert "batteries" not in told
