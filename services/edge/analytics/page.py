"""The report in one file: sentences, pictures and tables, read without network and script, on paper too."""

from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from zoneinfo import ZoneInfo

from markupsafe import Markup

from luna.contracts.edge_summary import ControllerFigures, EdgeSummary, LabEstimate
from luna.words import Numbers
from luna.words.charts.edge_pictures import LabPicture
from luna.words.charts.style import style
from luna.words.edge import say_controller, say_difference, say_location, say_metric, say_season
from services.edge.analytics.pictures import say_stand_in
from services.edge.analytics.statistics import LEAST_WEEKS, RESAMPLES

NUMBERS = Numbers("en", ZoneInfo("UTC"), "EUR")
# What is said of a batch before it is said what came of it.
STANDING = ("stand_in", "few_weeks", "runs_failed", "runs_missing")
Column = tuple[str, Callable[[ControllerFigures], str]]


def draw_report(summary: EdgeSummary, insights: Sequence[str], pictures: Sequence[LabPicture]) -> str:
    """Return the report.

    Args:
        summary: of the batch.
        insights: as sentences, in the order of ``summary.insights``.
        pictures: in the order in which they are shown.
    """
    template = files("services.edge.analytics").joinpath("report.html").read_text(encoding="utf-8")
    # Ours, and nothing in it comes from outside.
    frame = Markup(template)  # noqa: S704
    first = next((sentence for each, sentence in zip(summary.insights, insights, strict=True) if each.code not in STANDING), "Camera lab")
    oracle_rows = [
        [say_controller(each.controller, "en"), f"{NUMBERS.number(each.equal)} of {NUMBERS.number(each.pairs)}", str(each.weeks), _share(each.share, span=True)]
        for each in summary.oracle_shares
    ]
    damage_rows = [[each.file, NUMBERS.number(each.line), each.reason] for each in summary.damage]
    tables = [
        _controllers(summary),
        _table("Share of the oracle's clean share at equal misses", ["Controller", "Runs with equal misses", "Weeks", "Share"], oracle_rows),
        _comparisons(summary),
        _groups(summary),
        _trends(summary),
        _table(f"Rows left out: {NUMBERS.number(summary.damaged_rows)}", ["File", "Line", "Reason"], damage_rows, words=3),
    ]
    figures = _join(Markup('<figure class="card">{}</figure>\n').format(each.embed()) for each in pictures)
    places = ", ".join(say_location(name, "en") for name in summary.locations) or "no place"
    counts = (NUMBERS.number(count) for count in (summary.runs, summary.cameras, summary.weeks, summary.tasks))
    return str(
        frame.format(
            style=style("edge"),
            headline=first,
            lead="{} runs of {} cameras in {} weeks of places, {} tasks; {}.".format(*counts, places),
            notice=Markup('<p class="notice"><b>{}</b></p>').format(say_stand_in(summary)) if summary.stands_in else "",
            insights=Markup("<ul>\n{}</ul>").format(_join(Markup("<li>{}</li>\n").format(each) for each in insights)),
            pictures=Markup('<section class="pictures">\n{}</section>').format(figures) if pictures else "",
            tables=_join(tables),
            level=NUMBERS.share(summary.confidence_level),
            resamples=NUMBERS.number(RESAMPLES),
            seed=summary.seed,
            least=LEAST_WEEKS,
        )
    )


def _controllers(summary: EdgeSummary) -> Markup:
    columns: list[Column] = [
        ("Runs", lambda each: NUMBERS.number(each.runs)),
        ("Small misses", lambda each: _share(each.small_miss_share)),
        ("Large misses", lambda each: _share(each.large_miss_share)),
        ("Charged", lambda each: _energy(each.charged_wh)),
        ("of it clean", lambda each: _energy(each.clean_wh)),
        ("of it dirty", lambda each: _energy(each.dirty_wh)),
        ("Clean share", lambda each: _share(each.clean_share, span=True)),
        ("Dirty, a camera and day", lambda each: _wh(each.dirty_wh_per_day)),
        ("With misses counted in", lambda each: _wh(each.objective_wh_per_day)),
        ("Latency", lambda each: f"{NUMBERS.number(each.latency_ms, 1)} ms"),
        ("Per fulfilled task", lambda each: f"{NUMBERS.number(each.mwh_per_task, 3)} mWh"),
        ("of it clean", lambda each: f"{NUMBERS.number(each.clean_mwh_per_task, 3)} mWh"),
        ("Guard corrected", lambda each: NUMBERS.number(each.interventions)),
    ]
    rows = [[say_controller(each.controller, "en"), *(say(each) for _, say in columns)] for each in summary.controllers]
    return _table("By controller", ["Controller", *(name for name, _ in columns)], rows)


def _comparisons(summary: EdgeSummary) -> Markup:
    rows = []
    for each in summary.comparisons:
        value, span = say_difference(each.metric, each.difference.span, NUMBERS)
        effects = [_plain(each.cohens_d, 2), _plain(each.rank_biserial, 2)]
        names = [say_controller(name, "en") for name in (each.controller, each.other)]
        rows.append([f"{names[0]} less {names[1]}", say_metric(each.metric, "en"), f"{value}{span}", _probability(each.p_value), *effects, str(each.weeks)])
    head = ["Controllers", "Figure", "Difference", "p (Holm)", "Cohen's d", "Rank-biserial", "Weeks"]
    return _table("In pairs, on the same cameras", head, rows, folded=True)


def _groups(summary: EdgeSummary) -> Markup:
    rows = [
        [
            say_location(each.location, "en") if each.location else "all",
            say_season(each.season, "en") if each.season else "all",
            say_controller(each.controller, "en"),
            NUMBERS.number(each.runs),
            _share(each.small_miss_share),
            _share(each.large_miss_share),
            _share(each.clean_share),
            _wh(each.dirty_wh_per_day),
        ]
        for each in summary.groups
    ]
    head = ["Place", "Season", "Controller", "Runs", "Small misses", "Large misses", "Clean share", "Dirty, a camera and day"]
    return _table("By place and season", head, rows, folded=True, words=3)


def _trends(summary: EdgeSummary) -> Markup:
    rows = []
    for each in summary.trends:
        value, span = say_difference(each.metric, each.per_day.span, NUMBERS)
        rows.append([say_controller(each.controller, "en"), say_metric(each.metric, "en"), f"{value}{span}", _probability(each.p_value), str(each.weeks)])
    return _table("From day to day within a run", ["Controller", "Figure", "Change a day", "p (Holm)", "Weeks"], rows, folded=True)


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, folded: bool = False, words: int = 1) -> Markup:
    """Return a table, nothing where it has no rows; ``words``: so many columns hold words, the others figures."""
    if not rows:
        return Markup("")
    names = _join(Markup('<th scope="col"{}>{}</th>').format(_kind(place, words), name) for place, name in enumerate(head))
    body = _join(
        Markup('<tr><th scope="row">{}</th>{}</tr>\n').format(
            row[0], _join(Markup("<td{}>{}</td>").format(_kind(place, words), cell) for place, cell in enumerate(row) if place)
        )
        for row in rows
    )
    table = Markup('<div class="scroll"><table><thead><tr>{}</tr></thead><tbody>\n{}</tbody></table></div>').format(names, body)
    if folded:
        return Markup('<section class="card"><details><summary>{}</summary>{}</details></section>\n').format(title, table)
    return Markup('<section class="card"><h2>{}</h2>{}</section>\n').format(title, table)


def _kind(place: int, words: int) -> Markup:
    return Markup("") if place < words else Markup(' class="number"')


def _join(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)


def _share(estimate: LabEstimate, *, span: bool = False) -> str:
    percent = NUMBERS.share(estimate.value, decimals=2 if not span and (estimate.value or 0.0) < 0.1 else 1)
    if not span or estimate.low is None or estimate.high is None:
        return percent
    return f"{percent} ({NUMBERS.number(estimate.low * 100, 1)} to {NUMBERS.number(estimate.high * 100, 1)})"


def _wh(estimate: LabEstimate) -> str:
    energy = f"{NUMBERS.number(estimate.value, 2)} Wh"
    return energy if estimate.low is None or estimate.high is None else f"{energy} ({NUMBERS.number(estimate.low, 2)} to {NUMBERS.number(estimate.high, 2)})"


def _energy(value_wh: float) -> str:
    return f"{NUMBERS.number(value_wh)} Wh" if abs(value_wh) < 10_000 else NUMBERS.energy(value_wh / 1000)


def _plain(value: float | None, decimals: int) -> str:
    return NUMBERS.number(value, decimals, signed=True)


def _probability(value: float | None) -> str:
    return "–" if value is None else "< 0.001" if value < 0.001 else NUMBERS.number(value, 3)
