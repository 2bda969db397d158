"""Page Data: quality by day, gaps, refused rows and loaded files of a site."""

import re
from calendar import Calendar
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, get_args

from fastapi import Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from luna.contracts.data import (
    DayQuality,
    JudgeQualityRequest,
    Kind,
    LoadFileRequest,
    LoadReply,
    QuarantinedRow,
    Resolution,
    ResolveRequest,
)
from luna.contracts.history_care import FindGapsRequest, GapsReply
from luna.contracts.job import Job
from luna.energy.day_fault import DayFault
from luna.energy.errors import LunaError
from luna.energy.quality_verdict import may_use
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import SLOT, floor_to, local_midnight, parse_zone
from luna.platform.database import jobs, quality, quarantine, recorded_span, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.recorded_span import Span
from luna.platform.database.stored_rows import read_each
from luna.platform.queue.jobs import submit_job
from luna.words import Numbers
from luna.words.language import Language
from luna.words.numbers import read_number, say_month
from luna.words.pages import PageWords
from luna.words.quality import say_day_fault, say_role, say_series
from luna.words.refusals import say_problem
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import CurrentCaller
from services.api.pages.job_part import SitePath, find_progress, load_own
from services.api.pages.layout import PAGES, PageRoute, numbers_of, show, show_part, words_of
from services.api.pages.setup.site_page import list_standing
from services.api.routes.uploads import take_upload
from services.api.routing import ResourceRouter
from services.api.uploads import MAX_FILE_BYTES

# A source that was silent for longer has lost more than a slot.
STALE_AFTER = timedelta(hours=2)
GLYPHS = {"clean": "✓", "mask_battery": "◐", "exclude": "✕", "none": "·", "estimated": "≈"}
LOAD_COUNTS = ("rows", "accepted", "accepted_in_part", "repaired", "quarantined", "duplicated")


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month."""

    first: date

    @classmethod
    def of(cls, text: str | None, site: Site, now: datetime) -> "Month":
        """Return the month of a text such as 2026-11; None: that of the site's yesterday."""
        if text is not None:
            return cls(date(int(text[:4]), int(text[5:]), 1))
        yesterday = now.astimezone(parse_zone(site.timezone)).date() - timedelta(days=1)
        return cls(yesterday.replace(day=1))

    @property
    def last(self) -> date:
        return self.after.first - timedelta(days=1)

    @property
    def after(self) -> "Month":
        """The next month."""
        return Month(date(self.first.year + self.first.month // 12, self.first.month % 12 + 1, 1))

    @property
    def before(self) -> "Month":
        """The previous month."""
        return Month((self.first - timedelta(days=1)).replace(day=1))

    @property
    def name(self) -> str:
        """The month as in an address."""
        return f"{self.first:%Y-%m}"

    @property
    def weeks(self) -> list[list[date | None]]:
        """Its weeks from Monday to Sunday; None for days of other months."""
        month = self.first.month
        dates = Calendar().itermonthdates(self.first.year, month)
        days = [day if day.month == month else None for day in dates]
        return [days[begin : begin + 7] for begin in range(0, len(days), 7)]


# Faults that the owner mends by a sensor's sign, or by exchanging the sensors of two roles.
WRONG_SIGN = "sensor_wrong_sign"
EXCHANGED = "turned"


@dataclass(frozen=True, slots=True)
class SensorAnswer:
    """An answer to a fault of sensors: its button, and the form that it submits."""

    label: str
    fields: Sequence[tuple[str, str]]


def list_answers(
    site: Site,
    faults: Sequence[DayFault],
    words: PageWords,
    *,
    now: datetime,
    version: int,
    language: Language,
) -> list[SensorAnswer]:
    """Return the answers to faults of sensors.

    A sensor whose sign looks inverted is negated, two roles that look exchanged are swapped.
    """
    standing = list_standing(site, now)
    changed: dict[str, dict[str, list[str]]] = {}
    for fault in faults:
        if fault.code == WRONG_SIGN:
            sensor = str(fault.parameters["sensor"])
            label = words("turn_sign", sensor=sensor)
            changed[label] = _negate_sensor(standing, sensor)
        elif fault.code == EXCHANGED:
            source = str(fault.parameters["source"])
            sink = str(fault.parameters["sink"])
            label = words(
                "exchange_sensors", source=say_role(source, language), sink=say_role(sink, language)
            )
            changed[label] = standing | {source: standing[sink], sink: standing[source]}
    common = [("version", str(version)), ("since", "always"), ("go", "store")]
    common += [("outside", name) for name in site.input_sensors.outside_house_meter]
    answers = []
    for label, sensors in changed.items():
        if sensors == standing:
            continue
        fields = list(common)
        for role, names in sensors.items():
            fields += [(role, name) for name in names]
        answers.append(SensorAnswer(label, fields))
    return answers


def _negate_sensor(standing: Mapping[str, list[str]], sensor: str) -> dict[str, list[str]]:
    negated = {sensor: f"-{sensor}", f"-{sensor}": sensor}
    answer = {}
    for role, names in standing.items():
        answer[role] = [negated.get(name, name) for name in names]
    return answer


@dataclass(frozen=True)
class DataView:
    """The stored data of a site in the reader's words."""

    site: Site
    now: datetime
    month: Month
    verdicts: Mapping[date, DayQuality]
    span: Span | None
    rows: Sequence[QuarantinedRow]
    loads: Sequence[Job]
    numbers: Numbers
    words: PageWords
    version: int

    @property
    def answers(self) -> list[SensorAnswer]:
        """The possible answers where sensors look inverted or exchanged."""
        faults: list[DayFault] = []
        for day in self.verdicts.values():
            faults += day.faults
        return list_answers(
            self.site,
            faults,
            self.words,
            now=self.now,
            version=self.version,
            language=self.numbers.language,
        )

    @property
    def headline(self) -> str:
        """The first sentence of the page."""
        judged = len(self.verdicts)
        good = sum(may_use(day.verdict) for day in self.verdicts.values())
        if not judged:
            return self.words("headline_empty")
        if good == judged:
            return self.words("headline_clean", judged=judged)
        return self.words("headline_some", good=good, judged=judged)

    @property
    def counts(self) -> list[tuple[str, int]]:
        """The number of days by verdict, those without any last."""
        by_verdict = Counter(day.verdict for day in self.verdicts.values())
        day_count = (self.month.last - self.month.first).days + 1
        counts = [(name, by_verdict[name]) for name in ("clean", "mask_battery", "exclude")]
        return [*counts, ("none", day_count - len(self.verdicts))]

    @property
    def estimated_days(self) -> set[date]:
        """The days with a series that is partly filled to a meter's total."""
        days = set()
        for day in self.verdicts.values():
            codes = {fault.code for fault in day.faults}
            if "estimated" in codes:
                days.add(day.day)
        return days

    @property
    def silent_hours(self) -> int | None:
        """The hours since the last record, if these are too many."""
        if self.span is None or self.now - self.span[1] <= STALE_AFTER:
            return None
        return int((self.now - self.span[1]) / timedelta(hours=1))

    @property
    def weekdays(self) -> list[str]:
        """The names of the days of a week."""
        monday = datetime(2024, 1, 1, 12, tzinfo=self.numbers.zone)
        return [self.numbers.weekday(monday + timedelta(days=place)) for place in range(7)]

    @property
    def month_name(self) -> str:
        """The month and its year."""
        return say_month(self.month.first, self.numbers.language)

    def verdict(self, day: date) -> str:
        """Return the verdict on a day, ``none`` where there is none."""
        return self.verdicts[day].verdict if day in self.verdicts else "none"

    def reasons(self) -> list[tuple[str, str, list[str]]]:
        """Return the days with faults: day, verdict, sentences."""
        faulty = [day for day in self.verdicts.values() if day.faults]
        return [
            (self.numbers.local_day(day.day), day.verdict, self.say_faults(day)) for day in faulty
        ]

    def say_faults(self, day: DayQuality) -> list[str]:
        """Return the faults of a day in words."""
        return [say_day_fault(fault, self.numbers.language) for fault in day.faults]

    def say_cell(self, day: date) -> str:
        """Return the text alternative of a day in the calendar."""
        sentence = f"{self.numbers.local_day(day)}: {self.words('verdict_' + self.verdict(day))}"
        faults = self.say_faults(self.verdicts[day]) if day in self.verdicts else []
        return f"{sentence} ({'; '.join(faults)})" if faults else sentence

    def glyph(self, verdict: str) -> str:
        """Return the sign of a verdict."""
        return GLYPHS[verdict]

    def say_series(self, name: str) -> str:
        """Return the name of a series."""
        return say_series(name, language=self.numbers.language)

    def say_load(self, job: Job) -> str:
        """Return the result of loading a file."""
        replies = [job.reply] if job.status == "done" and job.reply is not None else []
        for counts in read_each(replies, LoadReply.model_validate):
            figures = {name: self.numbers.number(getattr(counts, name)) for name in LOAD_COUNTS}
            return self.words("load_counts", **figures)
        detail = f": {say_problem(job.error, self.numbers.language)}" if job.error else ""
        return self.words("load_" + job.status) + detail


def read_corrections(form: Mapping[str, str], received: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a form that differ from the refused row: numbers or text.

    Raises:
        InvalidInputError: none does.
    """
    changed = {}
    for field, text in form.items():
        name = field.removeprefix("value:")
        if not field.startswith("value:") or name not in received:
            continue
        value: Any = read_number(text)
        if value is None:
            value = _as_received(text)
        if value != _as_received(received[name]):
            changed[name] = value
    if not changed:
        raise refuse("no-value-changed", field="values")
    return changed


def _as_received(cell: Any) -> Any:
    """Return a cell as number or text, None if it is empty.

    With a comma a number is text, and refused.
    """
    try:
        return float(cell)
    except (TypeError, ValueError):
        return cell if str(cell or "").strip() else None


router = ResourceRouter(route_class=PageRoute)

PAGE = PAGES["data"]
MOST_ROWS = 20
MOST_LOADS = 8
RowPath = Annotated[int, Path(ge=1, le=2**63 - 1)]
MonthQuery = Annotated[
    str | None,
    Query(pattern=r"^(19|20|21)\d{2}-(0[1-9]|1[0-2])$", description="usual: that of yesterday"),
]


@router.page("GET", "/ui/sites/{site_id}/data", "read")
def show_data(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    *,
    month: MonthQuery = None,
    decided: Annotated[
        str | None, Query(pattern=r"^(released|corrected|dismissed):\d{1,19}$")
    ] = None,
    job: Annotated[str | None, Query(max_length=64, pattern=r"^[\w-]+$")] = None,
) -> Response:
    """Show a month's quality, refused rows and what was loaded."""
    return _show(request, gateway, site_id, month=month, decided=decided, job=job)


@router.page("GET", "/ui/sites/{site_id}/data/gaps", "read")
async def show_gaps(
    site_id: SitePath, request: Request, gateway: CurrentGateway, month: MonthQuery = None
) -> Response:
    """Show the gaps of a month, as a part of the page or, without a script, whole."""
    site = await run_in_threadpool(gateway.load_site, site_id)
    now = gateway.clock.now()
    selected = Month.of(month, site, now)
    zone = parse_zone(site.timezone)
    span = await run_in_threadpool(_read_span, gateway, site_id)
    first = local_midnight(selected.first, zone)
    # Nothing is missing of the time before the first value.
    if span is not None:
        first = max(first, span[0])
    # The quarter-hour that has just ended is still being built.
    end = min(local_midnight(selected.last + timedelta(days=1), zone), floor_to(now, SLOT) - SLOT)
    gaps: GapsReply | None = GapsReply(site_id=site_id, gaps=[])
    refusal: LunaError | None = None
    if first < end:
        search = FindGapsRequest(site_id=site_id, first=first, end=end)
        gaps, refusal = await gateway.ask_or_refusal(search, GapsReply)
    if request.headers.get("HX-Request"):
        return show_part(request, PAGE, "data_gaps.html.j2", site=site, gaps=gaps, refusal=refusal)
    show_page = partial(_show, request, gateway, site_id)
    return await run_in_threadpool(show_page, month=month, gaps=gaps, refusal=refusal)


def _read_span(gateway: Gateway, site_id: str) -> Span | None:
    with unit_of_work(gateway.database) as connection:
        return recorded_span.of_site(connection, site_id)


@router.page("POST", "/ui/sites/{site_id}/data/quality", "data")
def judge_month(site_id: SitePath, gateway: CurrentGateway, month: MonthQuery = None) -> Response:
    """Judge the days of a month again."""
    selected = Month.of(month, gateway.load_site(site_id), gateway.clock.now())
    judge = JudgeQualityRequest(site_id=site_id, from_day=selected.first, to_day=selected.last)
    job = submit_job(gateway.database, gateway.queue, judge)
    return RedirectResponse(f"{PAGE.address(site_id)}?month={selected.name}&job={job.job_id}", 303)


@router.page("POST", "/ui/sites/{site_id}/data/quarantine/{quarantine_id}/{resolution}", "data")
async def decide_row(
    site_id: SitePath,
    quarantine_id: RowPath,
    resolution: Resolution,
    request: Request,
    *,
    gateway: CurrentGateway,
    caller: CurrentCaller,
) -> Response:
    """Admit a refused row, as it is or with the form's values, or reject it for good."""
    received = await run_in_threadpool(_read_row, gateway, site_id, quarantine_id)
    form = await request.form()
    values = {}
    if resolution == "corrected":
        typed = {name: str(value) for name, value in form.items()}
        values = read_corrections(typed, received)
    resolve = ResolveRequest(
        quarantine_id=quarantine_id, resolution=resolution, values=values, by=caller.signature
    )
    await gateway.ask(resolve)
    return RedirectResponse(f"{PAGE.address(site_id)}?decided={resolution}:{quarantine_id}", 303)


@router.page("POST", "/ui/sites/{site_id}/data/uploads", "data", most_bytes=MAX_FILE_BYTES)
async def upload_file(site_id: SitePath, request: Request, gateway: CurrentGateway) -> Response:
    """Take a file and lead to the page with its result."""
    job = await take_upload(site_id, request, gateway, Response())
    return RedirectResponse(f"{PAGE.address(site_id)}?job={job.job_id}", HTTPStatus.SEE_OTHER.value)


def _show(
    request: Request,
    gateway: Gateway,
    site_id: str,
    *,
    month: str | None,
    decided: str | None = None,
    job: str | None = None,
    **context: Any,
) -> Response:
    now = gateway.clock.now()
    with unit_of_work(gateway.database) as connection:
        marks = gateway.read_marks(connection, site_id)
        stored = sites.read(connection, site_id)
        site = stored.site
        selected = Month.of(month, site, now)
        running = None if job is None else load_own(connection, site_id, job)
        days = quality.read(connection, site_id, selected.first, selected.last)
        view = DataView(
            site=site,
            now=now,
            month=selected,
            verdicts={day.day: day for day in days},
            span=recorded_span.of_site(connection, site_id),
            rows=quarantine.list_rows(connection, site_id, limit=MOST_ROWS),
            loads=jobs.list_of_site(
                connection, site_id, tasks=[LoadFileRequest.task], limit=MOST_LOADS
            ),
            numbers=numbers_of(request, site),
            words=words_of(request, PAGE),
            version=stored.version,
        )
    progress = None if running is None else find_progress(gateway, running)
    # The decision that was just made, and its row.
    match = re.fullmatch(r"(\w+):(\d+)", decided or "")
    frame = {
        "marks": marks,
        "view": view,
        "kinds": get_args(Kind),
        "decided": None if match is None else (match[1], match[2]),
        "job": running,
        "progress": progress,
        "most_rows": MOST_ROWS,
    }
    return show(request, PAGE, site=site, **({"gaps": None, "refusal": None} | context | frame))


def _read_row(gateway: Gateway, site_id: str, quarantine_id: int) -> Mapping[str, Any]:
    """Return a refused row of the site as it was received."""
    with unit_of_work(gateway.database) as connection:
        quarantine.require_of_site(connection, site_id, quarantine_id)
        return quarantine.hold(connection, quarantine_id)[1].raw
