"""Counts right and wrong answers to sixty questions on the data of two stored homes, by language.

Run as ``python -m bench.data_questions [--list SET]``; ``--list`` also prints the answers of a set
that are not right. The questions of ``reported`` are never looked at while tools are developed.

Right answers are computed here from the stored series, not by the tools. An answer is right if all
expected values stand in its first sentences, beside the point if some do not. It is false if it
is about another time than the question, if a sum in it differs from the stored series, or if it
explains something that does not happen.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import yaml
from sqlalchemy import Connection

from bench.data_home import COTTAGE, HOME, store_homes
from bench.stack import data_servers
from luna.contracts.answers import Answer, AskRequest
from luna.contracts.message import Message
from luna.contracts.search import SearchReply, SearchRequest
from luna.contracts.site_tools import Figure
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_days, local_midnight, parse_zone
from luna.platform.clock import FixedClock
from luna.platform.database import engine, forecasts, observations, plans, prices
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.settings import load_settings
from luna.words import Language
from services.rag.answering.ports import SiteTools
from services.rag.answering.process import StoredSiteTools
from services.rag.answering.service import AnsweringParts, answer_question
from tests.support.pages.demo_home import NOW

FOLDER = Path(__file__).parent / "data_questions"
SETS = ("reported", "development")
Verdict = Literal["right", "beside", "refused", "false"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
Premise = Literal["charges", "discharges", "dear", "cheap"]
ZONE = parse_zone("Europe/Amsterdam")
MARKUP = 0.13
COTTAGE_PRICE = 0.31
ACTIVE_KWH = 0.025
# "Usual" is the mean of so many days before.
USUAL_DAYS = 28
Periods = Sequence[tuple[date, date]]
FLOWS = ("load", "vehicle", "water_heater", "pv", "import", "export", "charge", "discharge")


class DataQuestion(Message):
    """A question on data with what a right answer says.

    Attributes:
        expected: values of a right answer, each as statistic, series and period.
        says: pattern of a right answer's text.
        tool: the tool that answers rightly.
        premise: what the question assumes the battery to do, or its day to be; ``denied`` corrects
            it.
        sites: the sites that are the asker's; ``site``: the one that the question is about.
    """

    text: str
    language: Language = "en"
    expected: tuple[str, ...] = ()
    says: str | None = None
    tool: str | None = None
    premise: Premise | None = None
    denied: str | None = None
    sites: tuple[str, ...] = (HOME,)
    site: str = HOME


@dataclass(frozen=True, slots=True)
class JudgedQuestion:
    """A question with its answer's text and verdict."""

    question: DataQuestion
    text: str
    verdict: Verdict


@dataclass
class StoredSeries:
    """The stored series of a site up to now, by quarter-hour."""

    connection: Connection
    site: str

    @cached_property
    def timeline(self) -> Timeline:
        first = local_midnight(date(2023, 1, 1), ZONE)
        return Timeline(first, SLOT, (NOW - first) // SLOT)

    @cached_property
    def values(self) -> Mapping[str, FloatArray]:
        names = tuple(f"{name}_kwh" for name in FLOWS)
        stored = observations.read_series(self.connection, self.site, self.timeline, names)
        series = {name: stored[f"{name}_kwh"] for name in FLOWS}
        series["consumption"] = (
            series["load"]
            + np.nan_to_num(series["vehicle"])
            + np.nan_to_num(series["water_heater"])
        )
        spot = prices.read(self.connection, "NL", self.timeline)
        price = np.full(spot.size, COTTAGE_PRICE) if self.site == COTTAGE else spot + MARKUP
        series["import_price"] = price
        exported = np.nan_to_num(series["export"]) if self.site == COTTAGE else series["export"]
        series["earning"] = exported * (0.08 if self.site == COTTAGE else spot)
        series["cost"] = series["import"] * price - series["earning"]
        series["own_solar"] = series["pv"] - series["export"]
        return series

    def cut(self, name: str, period: tuple[date, date]) -> tuple[Timeline, FloatArray]:
        """Return the part of a series in local days, up to now."""
        days = local_days(*period, ZONE)
        first = (days.start - self.timeline.start) // SLOT
        values = self.values[name][first : first + days.count]
        return Timeline(days.start, SLOT, values.size), values

    def sum(self, name: str, period: tuple[date, date]) -> float:
        """Return the sum of the known values."""
        return float(np.nansum(self.cut(name, period)[1]))

    def by_day(self, name: str, period: tuple[date, date]) -> list[tuple[float, date]]:
        """Return the days with their sums, the highest first."""
        first, last = period
        days = []
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            days.append((self.sum(name, (day, day)), day))
        return sorted(days, reverse=True)

    def battery_does(self) -> str:
        """Return what the battery last did: charges, discharges or rests."""
        if self.values["charge"][-1] > ACTIVE_KWH:
            return "charges"
        return "discharges" if self.values["discharge"][-1] > ACTIVE_KWH else "rests"


def read_period(text: str) -> tuple[date, date]:
    """Return the days of "2026", "2026-05", "2026-05-19" or of two days joined by ".."."""
    if ".." in text:
        first, last = text.split("..")
        return date.fromisoformat(first), date.fromisoformat(last)
    parts = [int(part) for part in text.split("-")]
    if len(parts) == 3:
        return date(*parts), date(*parts)
    year, first_month, last_month = (*parts, *parts[1:]) if len(parts) == 2 else (parts[0], 1, 12)
    after = date(year + last_month // 12, last_month % 12 + 1, 1)
    return date(year, first_month, 1), after - timedelta(days=1)


def list_periods(words: Sequence[str]) -> list[tuple[date, date]]:
    """Return the periods of an expression's words; two plain days are one period."""
    if len(words) == 2 and all(re.fullmatch(r"\d{4}-\d\d-\d\d", word) for word in words):
        return [(date.fromisoformat(words[0]), date.fromisoformat(words[1]))]
    return [read_period(word) for word in words]


def evaluate(expression: str, stored: StoredSeries) -> list[float | str]:
    """Return the values that a right answer tells for an expression; a day or instant as text."""
    statistic, name, *words = expression.split()
    periods = list_periods(words)
    top = re.fullmatch(r"top_days?(?:_(?P<count>\d+))?", statistic)
    if top is not None:
        days = stored.by_day(name, periods[0])[: int(top["count"] or 1)]
        return [day.isoformat() for _, day in days]
    if statistic in STATISTICS:
        return [STATISTICS[statistic](stored, name, periods)]
    return [_extreme(statistic, *stored.cut(name, periods[0]))]


def _sum(stored: StoredSeries, name: str, periods: Periods) -> float:
    return stored.sum(name, periods[0])


def _mean(stored: StoredSeries, name: str, periods: Periods) -> float:
    return float(np.nanmean(stored.cut(name, periods[0])[1]))


def _daily_mean(stored: StoredSeries, name: str, periods: Periods) -> float:
    first, last = periods[0]
    return stored.sum(name, periods[0]) / ((last - first).days + 1)


def _top_day_value(stored: StoredSeries, name: str, periods: Periods) -> float:
    return stored.by_day(name, periods[0])[0][0]


def _difference(stored: StoredSeries, name: str, periods: Periods) -> float:
    return stored.sum(name, periods[0]) - stored.sum(name, periods[1])


def _versus_usual(stored: StoredSeries, name: str, periods: Periods) -> float:
    first, _ = periods[0]
    before = (first - timedelta(days=USUAL_DAYS), first - timedelta(days=1))
    return stored.sum(name, periods[0]) - stored.sum(name, before) / USUAL_DAYS


def _share(stored: StoredSeries, name: str, periods: Periods) -> float:
    period = periods[0]
    if name == "self_sufficiency":
        return 1 - stored.sum("import", period) / stored.sum("consumption", period)
    if name == "own_use":
        return 1 - stored.sum("export", period) / stored.sum("pv", period)
    return stored.sum(name, period) / stored.sum("consumption", period)


def _extreme(statistic: str, timeline: Timeline, values: FloatArray) -> float | str:
    is_highest = statistic.startswith("highest")
    place = int(np.nanargmax(values) if is_highest else np.nanargmin(values))
    if statistic.endswith("_at"):
        return (timeline.start + place * SLOT).astimezone(ZONE).isoformat()
    value = float(values[place])
    return value * 4 if statistic.endswith("_kw") else value


def _forecast(stored: StoredSeries, name: str, periods: Periods) -> float:
    """Return the energy expected for a day: a past part by the issue at its beginning."""
    days = local_days(*periods[0], ZONE)
    issued = forecasts.read_all(
        stored.connection,
        stored.site,
        version=DEFAULT_VERSION,
        first=NOW - timedelta(days=2),
        last=min(days.start, NOW),
    )[-1]
    expected = issued.pv_kwh.expected if name == "pv" else issued.load_kwh.expected
    first = (days.start - issued.timeline.start) // SLOT
    count = days.count if days.start > NOW else (NOW - days.start) // SLOT
    return float(expected[first : first + count].sum())


def _versus_forecast(stored: StoredSeries, name: str, periods: Periods) -> float:
    return stored.sum(name, periods[0]) - _forecast(stored, name, periods)


def _versus_plan(stored: StoredSeries, name: str, periods: Periods) -> float:
    """Return the consumption so far beyond the plan that held at the beginning of the day."""
    begin = local_midnight(periods[0][0], ZONE)
    plan = plans.read_due(stored.connection, stored.site, begin)
    if plan is None:
        raise RuntimeError("no plan is stored for the day")
    planned = 0.0
    timeline, used = stored.cut(name, periods[0])
    # What was not measured cannot be compared.
    known = {start for start, value in zip(timeline, used, strict=True) if np.isfinite(value)}
    for slot in plan.slots:
        if slot.start in known:
            planned += slot.load_kwh
            planned += sum(flow.used_kwh for _, flow in slot.scheduled)
    return stored.sum(name, periods[0]) - planned


STATISTICS: dict[str, Callable[[StoredSeries, str, Periods], float]] = {
    "sum": _sum,
    "mean": _mean,
    "daily_mean": _daily_mean,
    "top_day_value": _top_day_value,
    "difference": _difference,
    "versus_usual": _versus_usual,
    "share": _share,
    "forecast": _forecast,
    "difference_to_forecast": _versus_forecast,
    "difference_to_plan": _versus_plan,
}


def judge_answer(question: DataQuestion, answer: Answer, stored: StoredSeries) -> Verdict:
    """Return whether an answer is right, beside the point, refused or false."""
    plain = answer.answer.replace("\u00a0", " ")
    if question.says is not None and re.search(question.says, plain, re.IGNORECASE):
        return "right"
    if answer.refused:
        return "refused"
    if question.says is not None:
        return "false"
    if question.premise is not None:
        lead = plain.split("\n")[0]
        is_denied = re.search(question.denied or "", lead, re.IGNORECASE) is not None
        if _holds(question, stored) == is_denied:
            return "false"
    return _judge_values(question, answer, stored)


def _holds(question: DataQuestion, stored: StoredSeries) -> bool:
    """Return whether the question's premise is true."""
    if question.premise in ("charges", "discharges"):
        return stored.battery_does() == question.premise
    _, name, day = next(
        text for text in question.expected if text.startswith("versus_usual")
    ).split()
    beyond = _versus_usual(stored, name, [read_period(day)])
    return (beyond > 0) == (question.premise == "dear")


def _judge_values(question: DataQuestion, answer: Answer, stored: StoredSeries) -> Verdict:
    calls = answer.tool_calls
    if question.tool is not None:
        return "right" if any(call.tool == question.tool for call in calls) else "beside"
    figures = [figure for call in calls for figure in call.figures]
    if _is_false(question, figures, stored):
        return "false"
    lead = answer.answer.split("\n")[0]
    first_figures = [figure for figure in figures if figure.text in lead]
    for expression in question.expected:
        for value in evaluate(expression, stored):
            if not any(_matches(figure, value) for figure in first_figures):
                return "beside"
    return "right"


def _is_false(question: DataQuestion, figures: list[Figure], stored: StoredSeries) -> bool:
    """Return whether figures are of another time than the question's, or wrong sums of it."""
    told = {figure.name: figure.value for figure in figures}
    first_day = told.get("first_day")
    if first_day is None:
        return False
    first = date.fromisoformat(str(first_day))
    last = date.fromisoformat(str(told.get("last_day", first_day)))
    meant = [read for text in question.expected for read in list_periods(text.split()[2:])]
    if all(first > end or last < begin for begin, end in meant):
        return True
    if (first, last) not in meant and not any(begin == first for begin, _ in meant):
        return True
    for name in (*FLOWS, "consumption"):
        value = told.get(f"{name}_kwh")
        # The house's own use stands under the name of the series.
        if isinstance(value, float) and not _is_near(value, stored.sum(name, (first, last))):
            return True
    return False


def _matches(figure: Figure, value: float | str) -> bool:
    if isinstance(value, str):
        return isinstance(figure.value, str) and figure.value == value
    return isinstance(figure.value, float) and _is_near(abs(figure.value), abs(value))


def _is_near(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-3 * max(abs(one), abs(other)) + 1e-4


def count_verdicts(judged: Sequence[JudgedQuestion]) -> dict[str, Any]:
    """Return the number of answers by verdict, and the right ones by language."""
    by_language: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for one in judged:
        by_language[one.question.language] += 1
        right[one.question.language] += one.verdict == "right"
    verdicts = Counter(one.verdict for one in judged)
    return {verdict: verdicts[verdict] for verdict in VERDICTS} | {
        "right_by_language": {
            language: f"{right[language]} of {count}" for language, count in by_language.items()
        },
    }


def read_questions(name: str) -> list[DataQuestion]:
    """Return the questions of a set."""
    rows = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return [DataQuestion.model_validate(row) for row in rows]


def judge_sets(names: Sequence[str] = SETS) -> dict[str, list[JudgedQuestion]]:
    """Return the judged questions of sets, answered without documents or a language model."""
    with data_servers() as (addresses, _):
        database = engine.create(addresses.database_url, application_name="bench")
        try:
            store_homes(database, load_settings().cache.resolve())

            def open_tools(request: AskRequest, site_id: str, language: Language) -> SiteTools:
                return StoredSiteTools(database, site_id, language, NOW, request.sites)

            parts = AnsweringParts(database, _find_nothing, open_tools)
            judged = {}
            for name in names:
                judged[name] = [_ask(question, parts) for question in read_questions(name)]
            return judged
        finally:
            database.dispose()


def _find_nothing(_request: SearchRequest) -> SearchReply:
    return SearchReply(passages=[], retriever="sparse", model=None)


def _ask(question: DataQuestion, parts: AnsweringParts) -> JudgedQuestion:
    request = AskRequest(question=question.text, language=question.language, sites=question.sites)
    answer = answer_question(request, parts, clock=FixedClock(NOW))
    with unit_of_work(parts.database) as connection:
        verdict = judge_answer(question, answer, StoredSeries(connection, question.site))
    return JudgedQuestion(question, answer.answer, verdict)


def measure() -> dict[str, Any]:
    """Return the verdicts by set."""
    return {name: count_verdicts(judged) for name, judged in judge_sets().items()}


def main() -> None:
    """Print the verdicts, and with ``--list`` the answers of a set that are not right."""
    parser = argparse.ArgumentParser(description=measure.__doc__)
    parser.add_argument("--list", choices=SETS, help="print a set's answers that are not right")
    listed = parser.parse_args().list
    judged = judge_sets()
    for one in judged.get(listed, []):
        if one.verdict != "right":
            print(f"{one.verdict}: {one.question.text} -> {one.text}")
    print(json.dumps({name: count_verdicts(rows) for name, rows in judged.items()}, indent=2))


if __name__ == "__main__":
    main()
