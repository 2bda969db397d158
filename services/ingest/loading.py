"""Loads a data file into the database in one transaction and constant memory.

Every row is accepted, a duplicate or quarantined.
"""

import hashlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import polars as pl
from sqlalchemy import Connection

from luna.contracts.file_guess import FileReading
from luna.energy.refusals import refuse
from luna.energy.row_fault import TOO_HIGH, RowFault
from luna.energy.site import Site
from luna.energy.timeline import parse_zone
from luna.platform.database import quarantine, sites
from luna.platform.database.copy import Written
from luna.words.quarantine import say_row_fault
from services.ingest.batches import read_batches
from services.ingest.file_guess.translate import is_direct, read_rows
from services.ingest.file_row_writer import Spill, find_market, store
from services.ingest.file_schema import join_columns, kind_named, match_columns, recognise_export
from services.ingest.file_slots import (
    find_unusual,
    set_aside_impossible,
    set_aside_off_grid,
    set_aside_repeats,
    to_quarter_hours,
)
from services.ingest.file_units import (
    choose_units,
    convert,
    describe_unit,
    describe_units,
    require_familiar,
    set_aside_unknown_units,
)
from services.ingest.instants import InstantReader, choose_step, measure_spacing
from services.ingest.limited_file import FileLimits
from services.ingest.own_prices import tell_unused
from services.ingest.plausible_powers import limit_powers
from services.ingest.quality_service import judge_later
from services.ingest.quarantine_release import overrule, read_let_in
from services.ingest.validation import describe_refused, judge, take_refused

SLOT_SPAN = timedelta(days=364)
SAMPLE_SPAN = timedelta(days=7)
# A few values above the limit are measurement errors; a tenth of a file means a wrong unit, and
# that the other values are wrong too.
MOST_ABOVE_SHARE = 0.1
FEWEST_ABOVE = 10
# So many bad values of a series without a good one mean a format that Luna misreads.
FEWEST_UNREADABLE = 10
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class FileForm:
    """Format in which to read a file.

    Attributes:
        zone: time zone of times without offset; None: the site's.
        renamed: Luna's column name → the file's, which may join two, as in ``Datum+Uhrzeit``.
        ignored: the file's columns to leave out.
        units: by Luna's column name, where the file's columns do not state them.
        scratch: folder of the temporary files; None: the machine's.
        received_at: when the file came, by when its prices were known; None: long before.
        reading: of a file with other columns; it has its own zone, names and units.
    """

    kind: str
    zone: ZoneInfo | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    units: Mapping[str, str] = field(default_factory=dict)
    scratch: Path | None = None
    received_at: datetime | None = None
    limits: FileLimits | None = None
    reading: FileReading | None = None

    @classmethod
    def of_reading(
        cls,
        reading: FileReading,
        *,
        scratch: Path | None,
        received_at: datetime,
        limits: FileLimits,
    ) -> "FileForm":
        """Return the form of a file with a guessed or chosen reading."""
        return cls(
            reading.kind, scratch=scratch, received_at=received_at, limits=limits, reading=reading
        )


@dataclass(slots=True)
class LoadReport:
    """Result of a load.

    ``accepted``, ``accepted_in_part``, ``repaired``, ``quarantined`` and ``duplicated`` count rows
    of the file, ``written`` stored ones.

    A row accepted in part lost its bad values to the quarantine; ``valid`` counts the accepted
    values by series.
    """

    rows: int = 0
    accepted: int = 0
    accepted_in_part: int = 0
    quarantined: int = 0
    duplicated: int = 0
    repairs: Counter[str] = field(default_factory=Counter)
    faults: Counter[RowFault] = field(default_factory=Counter)
    valid: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    step: timedelta | None = None
    first: datetime | None = None
    last: datetime | None = None
    written: Written = field(default_factory=Written)

    @property
    def repaired(self) -> int:
        """Number of repairs to accepted rows."""
        return self.repairs.total()

    @property
    def reasons(self) -> Counter[str]:
        """Number of faults by their text in English."""
        return Counter({say_row_fault(fault): count for fault, count in self.faults.items()})


def load_file(
    connection: Connection,
    site_id: str,
    path: Path,
    form: FileForm,
    *,
    progress: Progress | None = None,
) -> LoadReport:
    """Store a file's rows for a site, and quarantine unusable rows and values.

    Args:
        progress: called with the number of rows read so far.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the file, its columns or its step are unusable, or no row is usable.

    Invariants: idempotent; each row is accepted, a duplicate or quarantined.
    """
    with tempfile.TemporaryDirectory(prefix="luna-load-", dir=form.scratch) as folder:
        loading = _Loading(connection, sites.load(connection, site_id), form, Path(folder))
        loading.read(path, loading.recognise(path, form), progress)
        loading.write()
        loading.close(path)
        return loading.report


class _Loading:
    """The load of one file.

    Rows are read and validated once, then sorted and written span by span.
    """

    def __init__(self, connection: Connection, site: Site, form: FileForm, folder: Path) -> None:
        self.connection = connection
        self.site = site
        self.kind = kind_named(form.kind).in_currency(site.currency)
        self.received_at = form.received_at
        self.stated_units = frozenset(form.units)
        self.spill = Spill(folder, SAMPLE_SPAN if self.kind.sampled else SLOT_SPAN)
        self.report = LoadReport()
        self.source = ""
        self.let_in: pl.DataFrame | None = None
        self.examples: dict[RowFault, str] = {}
        quarantine.begin(connection)

    def recognise(self, path: Path, form: FileForm) -> FileForm:
        """Return the form, completed where the file is a known export."""
        first = next(read_batches(path, form.limits), None) if self.kind.name == "carbon" else None
        layout = None if first is None else recognise_export(first.columns, form.renamed)
        if layout is None:
            return form
        self.report.notes.append(layout.note)
        return replace(
            form,
            zone=parse_zone("UTC"),
            renamed=layout.renamed,
            ignored=form.ignored | layout.ignored,
        )

    def read(self, path: Path, form: FileForm, progress: Progress | None) -> None:
        zone = form.zone or parse_zone(self.site.timezone)
        clock = InstantReader(zone)
        latest: datetime | None = None
        for batch in self._batches(path, form, progress):
            joined = join_columns(batch, form.renamed)
            matched = match_columns(
                [name for name in joined.columns if name != "line"],
                self.kind,
                renamed=form.renamed,
                ignored=form.ignored,
            )
            if "spot_price" in matched.values():
                find_market(self.site)
            units = choose_units(matched, form.units)
            self._note([*tell_unused(self.site, matched.values()), *describe_units(units)])
            verdict = judge(
                convert(joined.select("line", *matched).rename(matched), units), self.kind, clock
            )
            self.report.rows += batch.height
            self.report.repairs.update(verdict.repaired)
            self._refuse(verdict.rejected)
            # Instants of rejected rows count for the file's step: without them an hourly file could
            # look two-hourly.
            self.spill.add_instants(verdict.rejected["instant"])
            instants = verdict.accepted["instant"]
            if instants.len():
                is_sorted = instants.is_sorted() and (latest is None or instants[0] >= latest)
                self._note(
                    [] if is_sorted else ["The rows were not in order of time; they were sorted."]
                )
                latest = _extent(instants)[1]
            self.spill.add(verdict.accepted)
            if progress and form.reading is None:
                progress(self.report.rows)
        if clock.met_naive:
            self._note(
                [
                    (
                        "Times without an offset were read in "
                        f"{zone.key}{'' if form.zone else ', the zone of the site'}."
                    )
                ]
            )
        with path.open("rb") as file:
            self.source = hashlib.file_digest(file, "sha256").hexdigest()
        self.let_in = read_let_in(
            quarantine.list_let_in(
                self.connection, self.site.name, kind=self.kind.name, sources=[self.source]
            ),
            self.site,
        )

    def _batches(
        self, path: Path, form: FileForm, progress: Progress | None
    ) -> Iterator[pl.DataFrame]:
        """Yield the file's rows, translated into Luna's columns if the form has a ``reading``."""
        if form.reading is None:
            yield from read_batches(path, form.limits)
            return
        row_count = 0

        def count(rows: int) -> None:
            nonlocal row_count
            row_count = rows
            if progress:
                progress(rows)

        yield from read_rows(path, form.reading, form.limits or FileLimits(), progress=count)
        if not is_direct(form.reading):
            self._note([f"{row_count:,} rows of the file were gathered into quarter-hours."])

    def write(self) -> None:
        if not self.kind.sampled:
            spacings = []
            for span in self.spill.spans:
                spacings.append(measure_spacing(self.spill.read_instants(span)))
            self.report.step = choose_step(spacings)
            if not any(spacing.counts for spacing in spacings):
                self.report.notes.append(
                    "The file shows no step; its slot was taken for a quarter-hour."
                )
        for span in self.spill.spans:
            rows = self._tidy(self.spill.read(span))
            if not rows.height:
                continue
            step = self.report.step
            first, last = _extent(rows["instant"])
            self.report.first = self.report.first or first
            self.report.last = last + (step or timedelta())
            if step is not None:
                keys = [name for name in self.kind.keys if name in rows.columns]
                rows = to_quarter_hours(rows, step, keys=keys, values=self._values(rows))
            self.report.written += store(
                self.connection,
                self.site,
                self.kind,
                overrule(rows, self.let_in, self.kind),
                received_at=self.received_at,
            )

    def close(self, path: Path) -> None:
        self.report.accepted = self.report.rows - self.report.quarantined - self.report.duplicated
        # With so many values too high the plausible rest is in a wrong unit as well.
        above = Counter(
            {fault: count for fault, count in self.report.faults.items() if fault.code in TOO_HIGH}
        )
        if above.total() >= max(FEWEST_ABOVE, MOST_ABOVE_SHARE * self.report.rows):
            fault = above.most_common(1)[0][0]
            raise refuse(
                "rows-too-high",
                field=fault.series,
                value=self.examples[fault],
                count=above.total(),
                rows=self.report.rows,
                why=fault,
                reason=say_row_fault(fault),
                remedy=_remedy(fault),
            )
        # Series without any accepted value.
        unknown = {name for name in self.kind.series if not self.report.valid[name]}
        lost = Counter(
            {fault: count for fault, count in self.report.faults.items() if fault.series in unknown}
        )
        if lost.total() >= FEWEST_UNREADABLE:
            fault = lost.most_common(1)[0][0]
            raise refuse(
                "no-value-usable",
                field=fault.series,
                value=self.examples[fault],
                name=fault.series,
                why=fault,
                reason=say_row_fault(fault),
                remedy=_remedy(fault),
            )
        if not self.report.accepted:
            faults = self.report.faults.most_common(1)
            fault = faults[0][0] if faults else RowFault("no_rows")
            raise refuse(
                "no-row-usable",
                field=str(path),
                value=self.examples.get(fault),
                why=fault,
                reason=say_row_fault(fault),
                remedy=_remedy(fault),
            )
        step_minutes = (
            None if self.report.step is None else self.report.step // timedelta(minutes=1)
        )
        quarantine.finish(
            self.connection,
            self.site.name,
            kind=self.kind.name,
            source=self.source,
            step_minutes=step_minutes,
        )
        changed = self.report.written.inserted + self.report.written.updated
        if (
            changed
            and self.kind.name in {"observations", "prices"}
            and self.report.first
            and self.report.last
        ):
            judge_later(self.connection, self.site, self.report.first, self.report.last)

    def _tidy(self, rows: pl.DataFrame) -> pl.DataFrame:
        keys = ["instant", *(name for name in self.kind.keys if name in rows.columns)]
        if self.kind.sampled:
            rows, unknown = set_aside_unknown_units(rows, self.site)
            self._refuse_rows(unknown)
        notes = [name for name in self.kind.notes if name in rows.columns]
        rows, identical, contradicting = set_aside_repeats(
            rows, keys, [*self._values(rows), *notes]
        )
        self.report.duplicated += identical
        self._refuse_rows(contradicting)
        if self.report.step is not None:
            rows, off_grid = set_aside_off_grid(rows, self.report.step)
            self._refuse_rows(off_grid)
            rows, impossible = set_aside_impossible(rows, limit_powers(self.site), self.report.step)
            self._refuse_rows(impossible)
            unusual = find_unusual(rows, limit_powers(self.site), self.report.step)
            if unusual is not None:
                name, kwh = unusual
                raise refuse(
                    "values-unusual",
                    field=name,
                    value=kwh,
                    step=self.report.step // timedelta(minutes=1),
                    hint=describe_unit(name),
                )
            require_familiar(
                self.connection,
                self.site,
                rows.drop(self.stated_units & {*rows.columns}),
                self.report.step,
            )
        rows, refused = take_refused(rows)
        self.report.accepted_in_part += refused.height
        self._tell_refused(refused)
        self.report.valid.update({name: rows[name].count() for name in self._values(rows)})
        return rows

    def _values(self, rows: pl.DataFrame) -> list[str]:
        return [name for name in self.kind.series if name in rows.columns]

    def _refuse(self, rejected: pl.DataFrame) -> None:
        self.report.quarantined += rejected.height
        self._tell_refused(rejected)

    def _tell_refused(self, rejected: pl.DataFrame) -> None:
        counts = rejected.group_by("fault", maintain_order=True).agg(
            pl.len(), pl.col("line", "raw").first()
        )
        for text, count, line, raw in counts.iter_rows():
            fault = RowFault.parse(text)
            self.report.faults[fault] += count
            self.examples.setdefault(fault, f"line {line}: {raw}")
        quarantine.add(self.connection, rejected.select("line", "fault", "raw").iter_rows())

    def _refuse_rows(self, rows: pl.DataFrame) -> None:
        if rows.height:
            self._refuse(describe_refused(rows))

    def _note(self, notes: list[str]) -> None:
        self.report.notes.extend(note for note in notes if note not in self.report.notes)


def _extent(instants: pl.Series) -> tuple[datetime, datetime]:
    return cast("tuple[datetime, datetime]", (instants.min(), instants.max()))


def _remedy(fault: RowFault) -> str:
    if fault.code in TOO_HIGH:
        return (
            f"Nothing was stored. {describe_unit(str(fault.series))}Otherwise correct the file or "
            "the site's limits."
        )
    return "Correct the file and load it again. Nothing was stored."
