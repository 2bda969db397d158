"""One HTML file that asks nobody for anything and says why in every slot."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from luna.contracts import PlanReply, ReplayReply
from luna.energy.site import Site
from luna.words import Language
from luna.words.reason_wordings import find_wordings
from services.demo.report.report import ReportInput, SiteResult, render
from tests.support.recordings.drawings import hold_drawing
from tests.support.words.wording import wording

PlanMaker = Callable[..., PlanReply]
ReportMaker = Callable[..., ReportInput]


class Page(HTMLParser):
    """Collects tags with their attributes, and texts by the tag they stand in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data.replace("\u00a0", " ").strip())

    def count(self, tag: str, **attributes: str) -> int:
        return sum(name == tag and attributes.items() <= found.items() for name, found in self.tags)


@pytest.fixture(scope="module")
def html(make_report: ReportMaker) -> str:
    """The report of which most is asked, written once."""
    return render(make_report())


def test_asks_nobody_for_anything(html: str) -> None:
    page = Page(html)
    attributes = [name for _, found in page.tags for name in found]
    assert not {"src", "href", "srcset", "action"} & set(attributes)
    assert not re.search(r"https?://|@import|url\((?!#)", html)
    assert (
        page.count(
            "meta",
            content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'",
        )
        == 1
    )


def test_every_slot_says_its_mode_and_why(make_report: ReportMaker) -> None:
    report = make_report()
    page = Page(render(report))
    why = wording("trade_reasons", "reason_serve_house_1", buy="30 ct", value="20 ct")
    whys = [text for text in page.texts if text.startswith(why)]
    planned = sum(slot.reason.code == "serve_house" for slot in report.plan.slots)
    assert page.count("td", **{"data-k": "why"}) == 192
    assert len(whys) >= planned


def test_speaks_without_a_script(html: str) -> None:
    without_script = html[: html.index("<script>")]
    assert without_script.count("<title>") == 1 + 192
    assert wording("report", "worth") in without_script


@pytest.mark.parametrize(("language", "score"), [("en", "93%"), ("de", "93 %")])
def test_speaks_both_languages(make_report: ReportMaker, language: Language, score: str) -> None:
    html = render(make_report(language=language)).replace("\u00a0", " ")
    assert f'<html lang="{language}">' in html
    assert wording("report", "headline", language, days=14, score=score) in html


def test_a_german_report_of_an_english_plan_is_german_throughout(make_report: ReportMaker) -> None:
    texts = " ".join(Page(render(make_report(language="de"))).texts)
    assert (
        wording("trade_reasons", "reason_serve_house_1", "de", buy="30 ct", value="20 ct") in texts
    )
    assert "Batterie voll" in texts
    assert "battery full" not in texts
    assert "As planned." not in texts


def test_a_reason_without_words_here_is_said_as_the_plan_says_it(
    make_report: ReportMaker, make_plan: PlanMaker
) -> None:
    html = render(make_report(make_plan(code="from_the_future", text="Does something new.")))
    assert html.count("Does something new.") >= 192


def test_escapes_what_comes_from_outside(make_report: ReportMaker, make_plan: PlanMaker) -> None:
    attack = '<img src=x onerror="alert(1)">'
    report = make_report(make_plan(code="from_the_future", text=attack), commands=[attack])
    html = render(replace(report, origins=[replace(report.origins[0], source=attack)]))
    assert "<img" not in html
    assert "&lt;img" in html


@pytest.mark.parametrize(
    ("start", "count", "marks"),
    [
        (datetime(2023, 3, 25, 23, tzinfo=UTC), 92, ["Sun 26 Mar", "06:00", "12:00", "18:00"]),
        (datetime(2023, 7, 1, 22, tzinfo=UTC), 96, ["Sun 2 July", "06:00", "12:00", "18:00"]),
        (datetime(2023, 10, 28, 22, tzinfo=UTC), 100, ["Sun 29 Oct", "06:00", "12:00", "18:00"]),
    ],
    ids=["23 hours", "24 hours", "25 hours"],
)
def test_hours_stand_where_the_sites_clock_shows_them(
    make_report: ReportMaker, make_plan: PlanMaker, start: datetime, count: int, marks: list[str]
) -> None:
    html = render(make_report(make_plan(start, count))).replace("\u00a0", " ")
    wide = html[html.index('class="plan wide"') :]
    wide = wide[: wide.index("</svg>")]
    assert (
        re.findall(r'class="(?:tick|day)" text-anchor="middle">([^<]+)<', wide)[: len(marks)]
        == marks
    )
    assert wide.count("<title>") == count


def test_the_hour_shown_twice_is_told_apart(make_report: ReportMaker, make_plan: PlanMaker) -> None:
    html = render(make_report(make_plan(datetime(2023, 10, 28, 22, tzinfo=UTC), 100))).replace(
        "\u00a0", " "
    )
    assert "Sun 02:15 CEST" in html
    assert "Sun 02:15 CET" in html


def test_shows_48_hours_of_a_longer_plan(make_report: ReportMaker, make_plan: PlanMaker) -> None:
    page = Page(render(make_report(make_plan(count=300))))
    assert page.count("td", **{"data-k": "why"}) == 192
    assert "The next 48 hours" in page.texts


def test_chooses_the_slot_whose_opposite_costs_most(html: str) -> None:
    page = Page(html)
    assert page.count("div", role="slider", **{"aria-valuenow": "191", "aria-valuemax": "191"}) == 1


def test_drawings_are_as_recorded(make_report: ReportMaker, make_plan: PlanMaker) -> None:
    # A day of 25 hours whose last hours have no published price, on which some PV is held back.
    start = datetime(2023, 10, 28, 22, tzinfo=UTC)
    plan = make_plan(start, 100).model_copy(
        update={"prices_known_until": start + timedelta(hours=20)}
    )
    html = render(make_report(plan, without_soc=[0.4] * 100))
    hold_drawing(
        "report",
        "\n".join(re.findall(r'<svg class="(?:plan|losses) .*?</svg>', html, flags=re.DOTALL)),
    )


def test_marks_predicted_prices(html: str, make_report: ReportMaker, make_plan: PlanMaker) -> None:
    certain = make_plan().model_copy(update={"prices_known_until": None})
    drawn = re.compile(r'<rect[^>]*class="predicted"')
    assert len(drawn.findall(html)) == 2
    assert drawn.findall(render(make_report(certain))) == []


def test_draws_the_battery_without_luna_only_where_it_is_known(
    html: str, make_report: ReportMaker
) -> None:
    assert "Without Luna" not in html
    assert 'class="line without"' in render(make_report(without_soc=[0.4] * 192))


def test_scores_name_policies_and_bars_stay_in_their_column(html: str) -> None:
    assert [float(width) for width in re.findall(r'style="width:([\d.]+)%"', html)][
        :6
    ] == pytest.approx([0, 51.2, 63.8, 93.1, 98.8, 100], abs=0.1)
    assert wording("modes", "policy_oracle") in html


def test_losses_lead_from_perfect_foresight_to_luna(html: str) -> None:
    losses = html[html.index('class="losses wide"') :]
    scores = re.findall(r'text-anchor="end">([\d.]+%)<', losses[: losses.index("</svg>")])
    assert scores == ["100.0%", "98.8%", "95.8%", "93.2%"]


@pytest.mark.parametrize(
    ("cost", "verdict"),
    [(30.0, "second_better"), (31.0, "second_equal"), (32.0, "second_worse")],
    ids=["less", "same", "more"],
)
def test_the_second_house_is_told_honestly(
    make_report: ReportMaker,
    replay_costing: Callable[[float], ReplayReply],
    site: Site,
    cost: float,
    verdict: str,
) -> None:
    second = SiteResult(site, replay_costing(cost), date(2023, 9, 1), date(2023, 9, 14))
    report = make_report()
    assert wording("report", verdict, amount="€1.00") in render(
        replace(report, results=[report.results[0], second])
    )


def test_a_window_without_savings_has_no_score(
    make_report: ReportMaker, site: Site, replay_costing: Callable[[float], ReplayReply]
) -> None:
    replay = replay_costing(26.3)
    policies = {
        name: policy.model_copy(update={"score": None}) for name, policy in replay.policies.items()
    }
    result = SiteResult(
        site,
        replay.model_copy(update={"policies": policies, "loss": {}}),
        date(2023, 9, 1),
        date(2023, 9, 14),
    )
    html = render(make_report(results=[result]))
    assert wording("report", "headline_nothing", days=14) in html
    assert 'class="losses' not in html


def test_a_site_without_battery_has_no_charge_panel(
    make_report: ReportMaker, make_plan: PlanMaker, site: Site
) -> None:
    bare = site.model_copy(update={"batteries": []})
    plan = make_plan(code="no_battery")
    plan = plan.model_copy(
        update={"slots": [slot.model_copy(update={"batteries": {}}) for slot in plan.slots]}
    )
    report = make_report(plan)
    html = render(replace(report, results=[replace(report.results[0], site=bare)]))
    assert 'class="soc-area"' not in html
    assert find_wordings("no_battery", "en")[0].text in html


def test_says_how_to_make_it_again(html: str) -> None:
    assert "<pre><code>make demo\nluna replay --site home\n</code></pre>" in html


def test_stays_small(make_report: ReportMaker) -> None:
    size: Any = len(render(make_report(without_soc=[0.4] * 192)).encode())
    assert size < 500_000
