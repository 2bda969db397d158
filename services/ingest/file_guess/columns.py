"""What the columns of a file are: meaning by their words, measure and unit by words and figures,
what cannot be known as questions.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast, get_args

import numpy as np
import polars as pl

from luna.contracts.file_guess import (
    ColumnGuess,
    Confidence,
    FileLayout,
    FileQuestion,
    GuessReason,
    Measure,
    ReadColumn,
    StoredAs,
)
from luna.energy.refusals import refuse
from luna.energy.timeline import FloatArray
from services.ingest.file_guess.cells import read_figures
from services.ingest.file_guess.words import (
    COUNTER,
    METER_FILE,
    TARIFF_PART,
    find,
    plain,
    read_meaning,
    read_unit,
)
from services.ingest.file_guess.words import UNIT as UNIT_PATTERN

POWER_UNITS = ("W", "kW", "MW")
ENERGY_UNITS = ("Wh", "kWh", "MWh")
ENERGIES = frozenset(
    {
        "import_kwh",
        "export_kwh",
        "pv_kwh",
        "load_kwh",
        "charge_kwh",
        "discharge_kwh",
        "grid",
        "battery",
    }
)
PRICES = frozenset({"import_price", "export_price", "spot_price"})
FLOWS = frozenset({"grid", "battery"})
MEANINGS = tuple(name for name in get_args(StoredAs) if name != "time")
# What a household hardly takes or makes on average over a day, and what a flat takes at least.
MOST_MEAN_KW = 40.0
LEAST_MEAN_KW = 0.005
RANK: dict[Measure, int] = {"interval": 0, "level": 0, "counter": 1, "power": 2}
WHOLE = r"gesamt|total|summe|\bsum\b|system|alle\b"


@dataclass(slots=True)
class GuessedColumn:
    """A column's guess so far."""

    name: str
    cells: pl.Series
    values: FloatArray
    stored_as: StoredAs = "nothing"
    unit: str = ""
    measure: Measure = "interval"
    turned: bool = False
    confidence: Confidence = "likely"
    reasons: list[GuessReason] = field(default_factory=list)
    consumption: bool = False

    def say(self, code: str, **figures: str) -> None:
        """Add a reason."""
        self.reasons.append(GuessReason(code=code, figures=figures))

    def as_guess(self) -> ColumnGuess:
        """Return it as it is shown."""
        examples = [str(cell) for cell in self.cells.drop_nulls().head(3)]
        return ColumnGuess(
            name=self.name,
            stored_as=self.stored_as,
            unit=self.unit,
            measure=self.measure,
            confidence=self.confidence,
            reasons=self.reasons,
            examples=[text[:60] for text in examples],
        )

    def to_contract(self) -> ReadColumn:
        """Return it as it is read."""
        return ReadColumn(
            name=self.name,
            stored_as=self.stored_as,
            unit=self.unit,
            measure=self.measure,
            turned=self.turned,
        )


@dataclass(frozen=True, slots=True)
class ColumnContext:
    """What a column is judged beside: what stands above the table, the step, the file's clock
    columns, and what a person chose.
    """

    layout: FileLayout
    above: str
    file_name: str
    step_seconds: int | None
    clock_columns: Sequence[str]
    units: Mapping[str, str]
    choices: Mapping[str, str]

    @property
    def hours(self) -> float:
        """How long a row's interval is."""
        return (self.step_seconds or 900) / 3600


def find_names(frame: pl.DataFrame, layout: FileLayout) -> tuple[str, str, dict[str, str]] | None:
    """Return the columns of names and values of a file that has one value per row, and the units by
    name; None where its columns are series.
    """
    if layout.form == "states":
        return layout.name_column or "entity", layout.value_column or "value", {}
    headers = {name: plain(name) for name in layout.names}
    names = next(
        (
            name
            for name, text in headers.items()
            if re.search(
                r"\bentity|\bsensor|statistic.?id|\bobis|messgrosse|register|channel|"
                r"metering.?type|\bmessart|quantity",
                text,
            )
        ),
        None,
    )
    values = next(
        (
            name
            for name, text in headers.items()
            if re.fullmatch(
                r"(state|value|wert|messwert|valeur|valor|valore|waarde|varde|mean|sum)( "
                r"?[\[(].*)?",
                text,
            )
        ),
        None,
    )
    if names is None or values is None:
        return None
    if not 1 <= frame[names].drop_nulls().n_unique() <= 100:
        return None
    unit = next(
        (
            name
            for name, text in headers.items()
            if re.search(r"unit\b|einheit|unite\b|unidad|unidade|eenheid|enhet", text)
        ),
        None,
    )
    units = (
        {}
        if unit is None
        else {
            str(name): read_unit(str(text))
            for name, text in frame.select(names, unit).drop_nulls().unique(names).iter_rows()
        }
    )
    return names, values, units


def find_decimal_comma(
    frame: pl.DataFrame, columns: Sequence[str], choices: Mapping[str, str]
) -> tuple[bool, FileQuestion | None]:
    """Return whether figures have a decimal comma, and the question where they do not tell."""
    cells = (
        pl.concat(
            [
                frame[name]
                .cast(pl.String)
                .drop_nulls()
                .head(20_000)
                .str.replace_all(r"[\s'’\u00a0]", "")
                for name in columns
            ]
        )
        if columns
        else pl.Series([], dtype=pl.String)
    )
    cells = cells.filter(cells.str.contains(r"^[+-]?[\d.,]+(?:\D{0,4})$"))
    comma = cells.str.contains(
        r"^[+-]?(0|\d{4,}),\d|^[+-]?\d*,(\d{1,2}|\d{4,})\D*$|\.\d{3},\d"
    ).sum()
    point = cells.str.contains(
        r"^[+-]?(0|\d{4,})\.\d|^[+-]?\d*\.(\d{1,2}|\d{4,})\D*$|,\d{3}\.\d"
    ).sum()
    if comma or point:
        return comma > point, None
    three = cells.filter(cells.str.contains(r"^[+-]?\d{1,3}[.,]\d{3}\D*$"))
    if not three.len():
        return False, None
    # 1,234 and 1.234 alone may be either; where neighbours differ by less than one, they are hardly
    # thousands. Only a person knows.
    answer = choices.get("decimal")
    has_comma = bool(three.str.contains(",", literal=True).any())
    question = FileQuestion(
        key="decimal", code="decimal", choices=["comma", "point"], likely=answer
    )
    return answer == "comma" if answer else has_comma, question


def guess_columns(
    frame: pl.DataFrame, context: ColumnContext
) -> tuple[list[GuessedColumn], list[FileQuestion]]:
    """Return what each column, or each name of a file with one value per row, is, and what only a
    person knows.
    """
    layout = context.layout
    if layout.name_column:
        names = [
            str(name)
            for name in frame[layout.name_column].drop_nulls().unique(maintain_order=True).head(100)
        ]
        series = {
            name: frame.filter(pl.col(layout.name_column) == name)[layout.value_column or ""]
            for name in names
        }
    else:
        series = {name: frame[name] for name in layout.names if name not in context.clock_columns}
    columns = [_read_column(name, cells, context) for name, cells in series.items()]
    _settle_consumption(columns, context)
    _settle_nameless(columns, context)
    _settle_signs(columns)
    questions = _ask_meaning(columns, context)
    for column in columns:
        _apply_choices(column, context)
    _settle_repeats(columns, context)
    # Prices are left out of a file that has energies, and others beside spot prices: they are
    # loaded on their own.
    kinds: set[str] = {column.stored_as for column in columns}
    apart = (
        PRICES
        if kinds & (ENERGIES | {"soc"})
        else PRICES - {"spot_price"}
        if "spot_price" in kinds
        else frozenset()
    )
    for column in columns:
        if column.stored_as in apart:
            column.stored_as = "nothing"
            column.say("price_apart")
        elif column.stored_as != "nothing":
            questions += _ask_unit(column, context) + _ask_sign(column, columns, context)
    return columns, questions


def _read_column(name: str, cells: pl.Series, context: ColumnContext) -> GuessedColumn:
    figures = read_figures(cells, decimal_comma=context.layout.decimal_comma)
    column = GuessedColumn(name, cells, figures.drop_nulls().to_numpy())
    # The number of a meter stands in every row the same.
    is_number = (
        column.values.size > 2
        and column.values[0] > 1e9
        and (column.values == column.values[0]).all()
    )
    if (
        is_number
        or figures.len() - figures.null_count() < 0.5 * (cells.len() - cells.null_count())
        or not column.values.size
    ):
        column.confidence = "certain"
        column.say("no_figures")
        return column
    meaning = read_meaning(name)
    if meaning is not None:
        column.stored_as = meaning.stored_as
        column.consumption = meaning.consumption
        column.confidence = "likely" if meaning.consumption else "certain"
        column.say(
            "part_of_others" if meaning.stored_as == "nothing" else "word", word=meaning.word
        )
    cell = next((str(cell) for cell in cells.drop_nulls().head(5)), "")
    in_cells = read_unit(cell) if re.search(r"\d\s*[kMm]?Wh?$|\d\s*%$", cell) else ""
    # What stands above the table counts where it is the only one.
    above = {
        read_unit(match)
        for match in UNIT_PATTERN.findall(context.above.replace("_", " "))
        if match != "%"
    }
    column.unit = (
        context.units.get(name)
        or read_unit(name)
        or in_cells
        or (above.pop() if len(above) == 1 else "")
    )
    if column.unit:
        column.say("unit_said", unit=column.unit)
    _find_measure(column, context)
    return column


def _find_measure(column: GuessedColumn, context: ColumnContext) -> None:
    if column.stored_as == "battery" and column.unit == "%":
        column.stored_as = "soc"
    if column.stored_as == "soc" or column.stored_as in PRICES or "/" in column.unit:
        column.measure = "level"
    elif column.unit in POWER_UNITS:
        column.measure = "power"
        column.say("power_unit", unit=column.unit)
    elif _rises(column.values):
        column.measure = "counter"
        column.say("counter_rises")
    elif (
        context.layout.name_column and context.step_seconds is None and column.unit in ENERGY_UNITS
    ):
        column.measure = "counter"
        column.say("counter_of_states")
    elif find(COUNTER, plain(column.name)) and _rises(column.values, fewest=2):
        column.measure = "counter"
    if (
        column.stored_as == "nothing"
        and column.unit in {*POWER_UNITS, *ENERGY_UNITS}
        and not column.reasons
    ):
        column.confidence = "unknown"


def _rises(values: FloatArray, *, fewest: int = 12) -> bool:
    """Return whether figures are a counter's: they only rise, but for beginning anew near zero, and
    stand far above what they rise by.
    """
    if values.size < fewest or (values < 0).any():
        return False
    steps = np.diff(values)
    if (steps < 0).sum() > (steps > 0).sum():
        steps = -steps[::-1]
        values = values[::-1]
    up = steps > 0
    down = steps < 0
    if up.sum() < max(2, 0.02 * values.size):
        return False
    anew = values[1:][down] <= 0.1 * values[:-1][down] + 1e-9
    # A reading that was misread falls as well, now and then, of figures that stand far above what
    # they rise by.
    misread = down.sum() <= max(2, values.size / 100) and np.median(values) > 20 * np.median(
        steps[up]
    )
    if down.sum() > max(1, values.size / 20) or not (anew.all() or misread):
        return False
    # Figures of a single rising morning would pass as well: a counter's are large beside their
    # steps, or begin anew.
    return bool(np.median(values) > 3 * np.median(steps[up])) or bool(down.any())


def _settle_consumption(columns: list[GuessedColumn], context: ColumnContext) -> None:
    """Say of a consumption whether it is what a house took or what was bought: an inverter's file
    has solar power beside it, a meter's feeding in.
    """
    has_pv = any(
        column.stored_as in {"pv_kwh", "charge_kwh", "discharge_kwh", "battery", "soc"}
        for column in columns
    )
    has_import = any(column.stored_as in {"import_kwh", "grid"} for column in columns)
    of_meter = any(column.stored_as == "export_kwh" for column in columns) or find(
        METER_FILE, plain(f"{context.above} {context.file_name} {' '.join(context.layout.names)}")
    )
    for column in (column for column in columns if column.consumption):
        if has_pv or has_import:
            column.confidence = "certain"
            column.say("consumption_of_house")
        elif of_meter:
            column.stored_as = "import_kwh"
            column.confidence = "certain"
            column.say("consumption_of_meter")
        else:
            column.confidence = "unknown"


def _settle_nameless(columns: list[GuessedColumn], context: ColumnContext) -> None:
    """Read the meaning of the only column of figures above the table or in the file's name, where
    its header says nothing.
    """
    figures = [
        column
        for column in columns
        if column.values.size and not any(reason.code == "no_figures" for reason in column.reasons)
    ]
    nameless = [
        column
        for column in figures
        if not any(reason.code in {"word", "part_of_others"} for reason in column.reasons)
    ]
    if any(column.stored_as != "nothing" for column in figures) or len(nameless) != 1:
        return
    column = nameless[0]
    text = plain(f"{context.above} {context.file_name}")
    meaning = read_meaning(context.above) or read_meaning(context.file_name)
    column.confidence = "unknown"
    if meaning is not None and meaning.stored_as != "nothing":
        column.stored_as = meaning.stored_as
        column.confidence = "likely"
        if meaning.consumption:
            column.stored_as, column.confidence = (
                ("import_kwh", "likely") if find(METER_FILE, text) else ("load_kwh", "unknown")
            )
        column.say("word_above", word=meaning.word)
        _find_measure(column, context)


def _settle_signs(columns: list[GuessedColumn]) -> None:
    for column in columns:
        if (
            column.stored_as not in ENERGIES
            or column.measure == "counter"
            or not column.values.size
        ):
            continue
        below = float((column.values < 0).mean())
        over = float((column.values > 0).mean())
        if column.stored_as in FLOWS:
            if not below:
                column.say("never_below_zero")
        elif below > 0 and over <= 0.01:
            column.turned = True
            column.say("written_below_zero")
        elif below > 0.02 and column.stored_as == "import_kwh":
            column.stored_as = "grid"
            column.confidence = "likely"
            column.say("both_signs")


def _ask_meaning(columns: list[GuessedColumn], context: ColumnContext) -> list[FileQuestion]:
    """Ask what a column is where its words leave two answers, and where no column of the file says
    anything, what each is.
    """
    questions = []
    silent = not any(column.stored_as != "nothing" for column in columns)
    for column in columns:
        key = f"column:{column.name}"
        no_figures = any(
            reason.code in {"no_figures", "part_of_others"} for reason in column.reasons
        )
        if column.consumption and column.confidence == "unknown":
            questions.append(
                FileQuestion(
                    key=key,
                    code="consumption",
                    column=column.name,
                    choices=["load_kwh", "import_kwh", "nothing"],
                    likely=context.choices.get(key),
                )
            )
        elif silent and not no_figures and len(columns) <= 12:
            column.confidence = "unknown"
            questions.append(
                FileQuestion(
                    key=key,
                    code="meaning",
                    column=column.name,
                    choices=list(MEANINGS),
                    likely=context.choices.get(key),
                )
            )
    return questions


def _apply_choices(column: GuessedColumn, context: ColumnContext) -> None:
    """Take over what a person chose.

    Raises:
        InvalidInputError: it is none of what can be chosen.
    """
    chosen, measure, unit = (
        context.choices.get(f"{part}:{column.name}") for part in ("column", "measure", "unit")
    )
    if chosen:
        if chosen not in MEANINGS:
            raise refuse(
                "no-such-meaning",
                field=f"column:{column.name}",
                value=chosen,
                meant=tuple(MEANINGS),
            )
        if chosen != column.stored_as:
            column.stored_as = cast("StoredAs", chosen)
            column.turned = False
            column.reasons = [GuessReason(code="chosen")]
            column.measure = (
                "level"
                if chosen == "soc" or chosen in PRICES
                else "interval"
                if column.measure == "level"
                else column.measure
            )
        column.confidence = "certain"
    if measure in get_args(Measure):
        column.measure = cast("Measure", measure)
    if unit:
        column.unit = unit
        if unit in POWER_UNITS:
            column.measure = "power"
        elif unit in ENERGY_UNITS and column.measure == "power":
            column.measure = "interval"


def _settle_repeats(columns: list[GuessedColumn], context: ColumnContext) -> None:
    """Of columns of one meaning add up tariffs and strings.

    Of others keep energies before counters before powers, and what is the whole before a part.
    """
    for meaning in {column.stored_as for column in columns} - {"nothing"}:
        same = [
            column
            for column in columns
            if column.stored_as == meaning and f"column:{column.name}" not in context.choices
        ]
        if len(same) < 2:
            continue
        if any(column.measure == "counter" for column in same):
            # A counter of a tariff that never ran stands still, at zero or elsewhere.
            for column in same:
                if np.ptp(column.values) == 0:
                    column.measure = "counter"
        parts = [column for column in same if find(TARIFF_PART, plain(column.name))]
        bare = {re.sub(r"[\d\W_]+", " ", plain(column.name)).strip() for column in same}
        if (len(parts) == len(same) or (len(bare) == 1 and meaning in ENERGIES)) and len(
            {column.measure for column in same}
        ) == 1:
            for column in same:
                column.say("added_up", count=str(len(same)))
            continue
        best = min(
            same,
            key=lambda column: (
                RANK[column.measure],
                column in parts,
                not find(WHOLE, plain(column.name)),
                column.confidence != "certain",
            ),
        )
        for column in same:
            if column is not best:
                column.stored_as = "nothing"
                column.confidence = "likely"
                column.say("same_as", column=best.name)


def _ask_unit(column: GuessedColumn, context: ColumnContext) -> list[FileQuestion]:
    if not column.values.size:
        return []
    key = f"unit:{column.name}"
    if column.unit and (answer := context.choices.get(key)) is None:
        return []
    answer = context.choices.get(key)
    values = np.abs(column.values)
    if column.stored_as == "soc":
        column.unit = answer or ("%" if values.max() > 1.5 else "")
        column.say("percent_by_figures" if column.unit else "share_by_figures")
        return []
    if column.measure == "level":
        if answer in {"EUR/kWh", "ct/kWh", "EUR/MWh"} or not column.unit:
            median = float(np.median(values)) if values.size else 0.0
            likely = (
                "EUR/kWh"
                if median < 1.5
                else "EUR/MWh"
                if column.stored_as == "spot_price" and median > 30
                else "ct/kWh"
            )
            column.unit = answer or likely
            return [
                FileQuestion(
                    key=key,
                    code="unit_price",
                    column=column.name,
                    choices=["EUR/kWh", "ct/kWh", "EUR/MWh"],
                    likely=column.unit,
                )
            ]
        return []
    choices = [*ENERGY_UNITS[:2], *POWER_UNITS[:2]]
    per_hour = (
        float(np.diff(values).clip(0).mean() if column.measure == "counter" else values.mean())
        / context.hours
        if values.size > 1
        else 0.0
    )
    column.unit = answer or ("Wh" if per_hour > MOST_MEAN_KW else "kWh")
    if column.unit in POWER_UNITS:
        column.measure = "power"
    elif column.measure == "power":
        column.measure = "interval"
    return [
        FileQuestion(key=key, code="unit", column=column.name, choices=choices, likely=column.unit)
    ]


def _ask_sign(
    column: GuessedColumn, columns: list[GuessedColumn], context: ColumnContext
) -> list[FileQuestion]:
    """Ask which way a flow is counted.

    A state of charge or solar power beside it makes one answer likely.
    """
    if column.stored_as not in FLOWS:
        return []
    key = f"sign:{column.name}"
    forth, back = {"grid": ("import", "export"), "battery": ("charge", "discharge")}[
        column.stored_as
    ]
    answer = context.choices.get(key)
    likely = answer if answer in {forth, back} else None
    beside = next(
        (
            other
            for other in columns
            if other.stored_as == ("pv_kwh" if column.stored_as == "grid" else "soc")
        ),
        None,
    )
    if likely is None and beside is not None and beside.values.size == column.values.size >= 24:
        # With the sun less is bought; while a battery is charged its state rises.
        other, direction = (
            (beside.values, -1) if column.stored_as == "grid" else (np.gradient(beside.values), 1)
        )
        varies = np.std(other) > 0 and np.std(column.values) > 0
        related = direction * float(np.corrcoef(column.values, other)[0, 1]) if varies else 0.0
        likely = forth if related > 0.3 else back if related < -0.3 else None
    column.turned = likely == back
    return [
        FileQuestion(
            key=key,
            code=f"sign_{column.stored_as}",
            column=column.name,
            choices=[forth, back],
            likely=likely,
        )
    ]
