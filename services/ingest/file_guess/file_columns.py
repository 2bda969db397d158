"""The columns of a file: meaning, measure and unit, from words and figures.

What cannot be known becomes a question.
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
# A household hardly takes or makes more on average over a day.
MOST_MEAN_KW = 40.0
RANK: dict[Measure, int] = {"interval": 0, "level": 0, "counter": 1, "power": 2}
WHOLE = r"gesamt|total|summe|\bsum\b|system|alle\b"
PRICE_UNITS = ("EUR/kWh", "ct/kWh", "EUR/MWh")
# Headers of files with one value per row.
NAME_HEADER = re.compile(
    r"\bentity|\bsensor|statistic.?id|\bobis|messgrosse|register|channel|"
    r"metering.?type|\bmessart|quantity"
)
VALUE_HEADER = re.compile(
    r"^(?:(state|value|wert|messwert|valeur|valor|valore|waarde|varde|mean|sum)( ?[\[(].*)?)\Z"
)
UNIT_HEADER = re.compile(r"unit\b|einheit|unite\b|unidad|unidade|eenheid|enhet")


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

    def add_reason(self, code: str, **figures: str) -> None:
        self.reasons.append(GuessReason(code=code, figures=figures))

    def has_reason(self, *codes: str) -> bool:
        return any(reason.code in codes for reason in self.reasons)

    def as_guess(self) -> ColumnGuess:
        """Return the guess as it is shown."""
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
        """Return the column as it is read."""
        return ReadColumn(
            name=self.name,
            stored_as=self.stored_as,
            unit=self.unit,
            measure=self.measure,
            turned=self.turned,
        )


@dataclass(frozen=True, slots=True)
class ColumnContext:
    """The surroundings of a column.

    Args:
        layout: of the file.
        above: text above the table.
        file_name: as its owner calls it.
        step_seconds: between the rows; None: irregular.
        clock_columns: columns of times.
        units: by name of the series.
        choices: of a person, by the keys of the questions.
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
        """Length of a row's interval."""
        return (self.step_seconds or 900) / 3600


def find_names(frame: pl.DataFrame, layout: FileLayout) -> tuple[str, str, dict[str, str]] | None:
    """Return the columns of names and values, and the units by name, of a long file.

    A long file has one value per row; None if the file's columns are series.
    """
    if layout.form == "states":
        return layout.name_column or "entity", layout.value_column or "value", {}
    headers = {name: plain(name) for name in layout.names}
    names = _find_header(headers, NAME_HEADER)
    values = _find_header(headers, VALUE_HEADER)
    if names is None or values is None:
        return None
    if not 1 <= frame[names].drop_nulls().n_unique() <= 100:
        return None
    units: dict[str, str] = {}
    unit = _find_header(headers, UNIT_HEADER)
    if unit is not None:
        rows = frame.select(names, unit).drop_nulls().unique(names).iter_rows()
        units = {str(name): read_unit(str(text)) for name, text in rows}
    return names, values, units


def _find_header(headers: Mapping[str, str], pattern: re.Pattern[str]) -> str | None:
    """Return the first column whose plain header matches a pattern."""
    for name, text in headers.items():
        if pattern.search(text):
            return name
    return None


def find_decimal_comma(
    frame: pl.DataFrame, columns: Sequence[str], choices: Mapping[str, str]
) -> tuple[bool, FileQuestion | None]:
    """Return whether figures have a decimal comma, and a question if they do not tell."""
    cells = pl.Series([], dtype=pl.String)
    if columns:
        cells = pl.concat([_bare_cells(frame[name]) for name in columns])
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
    question = FileQuestion(
        key="decimal", code="decimal", choices=["comma", "point"], likely=answer
    )
    if answer:
        return answer == "comma", question
    return bool(three.str.contains(",", literal=True).any()), question


def _bare_cells(cells: pl.Series) -> pl.Series:
    text = cells.cast(pl.String).drop_nulls().head(20_000)
    return text.str.replace_all(r"[\s'’\u00a0]", "")


def guess_columns(
    frame: pl.DataFrame, context: ColumnContext
) -> tuple[list[GuessedColumn], list[FileQuestion]]:
    """Return the guess of each column or named series, and the questions that remain."""
    columns = []
    for name, cells in _split_series(frame, context).items():
        columns.append(_read_column(name, cells, context))
    _settle_consumption(columns, context)
    _settle_nameless(columns, context)
    _settle_signs(columns)
    questions = _ask_meaning(columns, context)
    for column in columns:
        _apply_choices(column, context)
    _settle_repeats(columns, context)
    apart = _prices_apart(columns)
    for column in columns:
        if column.stored_as in apart:
            column.stored_as = "nothing"
            column.add_reason("price_apart")
        elif column.stored_as != "nothing":
            questions += _ask_unit(column, context)
            questions += _ask_sign(column, columns, context)
    return columns, questions


def _split_series(frame: pl.DataFrame, context: ColumnContext) -> dict[str, pl.Series]:
    """Return the cells by column, or by name for files with one value per row."""
    layout = context.layout
    if not layout.name_column:
        return {name: frame[name] for name in layout.names if name not in context.clock_columns}
    series = {}
    for name in frame[layout.name_column].drop_nulls().unique(maintain_order=True).head(100):
        rows = frame.filter(pl.col(layout.name_column) == str(name))
        series[str(name)] = rows[layout.value_column or ""]
    return series


def _prices_apart(columns: Sequence[GuessedColumn]) -> frozenset[str]:
    """Return the prices that are left out, because they are loaded on their own.

    In a file with energies these are all prices, beside spot prices all others.
    """
    kinds: set[str] = {column.stored_as for column in columns}
    if kinds & (ENERGIES | {"soc"}):
        return PRICES
    if "spot_price" in kinds:
        return PRICES - {"spot_price"}
    return frozenset()


def _read_column(name: str, cells: pl.Series, context: ColumnContext) -> GuessedColumn:
    figures = read_figures(cells, decimal_comma=context.layout.decimal_comma)
    column = GuessedColumn(name, cells, figures.drop_nulls().to_numpy())
    values = column.values
    # A meter's number is the same in every row.
    is_number = values.size > 2 and values[0] > 1e9 and (values == values[0]).all()
    figure_count = figures.len() - figures.null_count()
    cell_count = cells.len() - cells.null_count()
    if is_number or figure_count < 0.5 * cell_count or not values.size:
        column.confidence = "certain"
        column.add_reason("no_figures")
        return column
    meaning = read_meaning(name)
    if meaning is not None:
        column.stored_as = meaning.stored_as
        column.consumption = meaning.consumption
        column.confidence = "likely" if meaning.consumption else "certain"
        code = "part_of_others" if meaning.stored_as == "nothing" else "word"
        column.add_reason(code, word=meaning.word)
    column.unit = _find_unit(name, cells, context)
    if column.unit:
        column.add_reason("unit_said", unit=column.unit)
    _find_measure(column, context)
    return column


def _find_unit(name: str, cells: pl.Series, context: ColumnContext) -> str:
    """Return the unit of a column by its series, header, cells or the text above the table."""
    unit = context.units.get(name) or read_unit(name)
    if unit:
        return unit
    cell = next((str(cell) for cell in cells.drop_nulls().head(5)), "")
    if re.search(r"\d\s*[kMm]?Wh?$|\d\s*%$", cell):
        unit = read_unit(cell)
        if unit:
            return unit
    # The text above the table counts if it names a single unit.
    words = UNIT_PATTERN.findall(context.above.replace("_", " "))
    above = {read_unit(word) for word in words if word != "%"}
    return above.pop() if len(above) == 1 else ""


def _find_measure(column: GuessedColumn, context: ColumnContext) -> None:
    if column.stored_as == "battery" and column.unit == "%":
        column.stored_as = "soc"
    is_state = bool(context.layout.name_column) and context.step_seconds is None
    if column.stored_as == "soc" or column.stored_as in PRICES or "/" in column.unit:
        column.measure = "level"
    elif column.unit in POWER_UNITS:
        column.measure = "power"
        column.add_reason("power_unit", unit=column.unit)
    elif _rises(column.values):
        column.measure = "counter"
        column.add_reason("counter_rises")
    elif is_state and column.unit in ENERGY_UNITS:
        column.measure = "counter"
        column.add_reason("counter_of_states")
    elif find(COUNTER, plain(column.name)) and _rises(column.values, fewest=2):
        column.measure = "counter"
    has_unit = column.unit in POWER_UNITS or column.unit in ENERGY_UNITS
    if column.stored_as == "nothing" and has_unit and not column.reasons:
        column.confidence = "unknown"


def _rises(values: FloatArray, *, fewest: int = 12) -> bool:
    """Return whether figures look like a counter's.

    A counter only rises, except that it may begin again near zero, and stands far above its rises.
    """
    if values.size < fewest or (values < 0).any():
        return False
    steps = np.diff(values)
    if (steps < 0).sum() > (steps > 0).sum():
        # The file's rows run backwards.
        steps = -steps[::-1]
        values = values[::-1]
    up = steps > 0
    down = steps < 0
    if up.sum() < max(2, 0.02 * values.size):
        return False
    begins_again = values[1:][down] <= 0.1 * values[:-1][down] + 1e-9
    # A counter that was misread falls now and then as well.
    usual_value = float(np.median(values))
    usual_rise = float(np.median(steps[up]))
    falls_seldom = down.sum() <= max(2, values.size / 100)
    is_misread = falls_seldom and usual_value > 20 * usual_rise
    if down.sum() > max(1, values.size / 20) or not (begins_again.all() or is_misread):
        return False
    # The powers of a single sunny morning rise as well, but a counter's figures are large beside
    # their steps, or begin again.
    return usual_value > 3 * usual_rise or bool(down.any())


def _settle_consumption(columns: list[GuessedColumn], context: ColumnContext) -> None:
    """Decide whether a consumption is the house's or the bought energy.

    An inverter's file has solar power beside it, a meter's file feed-in.
    """
    meanings = {column.stored_as for column in columns}
    inverter: set[StoredAs] = {"pv_kwh", "charge_kwh", "discharge_kwh", "battery", "soc"}
    bought: set[StoredAs] = {"import_kwh", "grid"}
    headers = " ".join(context.layout.names)
    is_meter_file = "export_kwh" in meanings or find(
        METER_FILE, plain(f"{context.above} {context.file_name} {headers}")
    )
    for column in columns:
        if not column.consumption:
            continue
        if meanings & (inverter | bought):
            column.confidence = "certain"
            column.add_reason("consumption_of_house")
        elif is_meter_file:
            column.stored_as = "import_kwh"
            column.confidence = "certain"
            column.add_reason("consumption_of_meter")
        else:
            column.confidence = "unknown"


def _settle_nameless(columns: list[GuessedColumn], context: ColumnContext) -> None:
    """Read a silent header's meaning above the table or in the file's name.

    This holds for the only column of figures.
    """
    figures = []
    for column in columns:
        if column.values.size and not column.has_reason("no_figures"):
            figures.append(column)
    nameless = [column for column in figures if not column.has_reason("word", "part_of_others")]
    if any(column.stored_as != "nothing" for column in figures) or len(nameless) != 1:
        return
    column = nameless[0]
    meaning = read_meaning(context.above) or read_meaning(context.file_name)
    column.confidence = "unknown"
    if meaning is None or meaning.stored_as == "nothing":
        return
    if not meaning.consumption:
        column.stored_as = meaning.stored_as
        column.confidence = "likely"
    elif find(METER_FILE, plain(f"{context.above} {context.file_name}")):
        column.stored_as = "import_kwh"
        column.confidence = "likely"
    else:
        column.stored_as = "load_kwh"
    column.add_reason("word_above", word=meaning.word)
    _find_measure(column, context)


def _settle_signs(columns: list[GuessedColumn]) -> None:
    for column in columns:
        if column.stored_as not in ENERGIES or column.measure == "counter":
            continue
        if not column.values.size:
            continue
        below = float((column.values < 0).mean())
        over = float((column.values > 0).mean())
        if column.stored_as in FLOWS:
            if not below:
                column.add_reason("never_below_zero")
        elif below > 0 and over <= 0.01:
            column.turned = True
            column.add_reason("written_below_zero")
        elif below > 0.02 and column.stored_as == "import_kwh":
            column.stored_as = "grid"
            column.confidence = "likely"
            column.add_reason("both_signs")


def _ask_meaning(columns: list[GuessedColumn], context: ColumnContext) -> list[FileQuestion]:
    """Ask for the meaning of a consumption, and of every column if no header says anything."""
    questions = []
    is_silent = not any(column.stored_as != "nothing" for column in columns)
    for column in columns:
        choices: list[str] = []
        if column.consumption and column.confidence == "unknown":
            code = "consumption"
            choices = ["load_kwh", "import_kwh", "nothing"]
        elif (
            is_silent
            and len(columns) <= 12
            and not column.has_reason("no_figures", "part_of_others")
        ):
            column.confidence = "unknown"
            code = "meaning"
            choices = list(MEANINGS)
        else:
            continue
        key = f"column:{column.name}"
        question = FileQuestion(
            key=key,
            code=code,
            column=column.name,
            choices=choices,
            likely=context.choices.get(key),
        )
        questions.append(question)
    return questions


def _apply_choices(column: GuessedColumn, context: ColumnContext) -> None:
    """Apply a person's choices to a column.

    Raises:
        InvalidInputError: it is none of what can be chosen.
    """
    meaning = context.choices.get(f"column:{column.name}")
    measure = context.choices.get(f"measure:{column.name}")
    unit = context.choices.get(f"unit:{column.name}")
    if meaning:
        _apply_meaning(column, meaning)
    if measure in get_args(Measure):
        column.measure = cast("Measure", measure)
    if unit:
        column.unit = unit
        if unit in POWER_UNITS:
            column.measure = "power"
        elif unit in ENERGY_UNITS and column.measure == "power":
            column.measure = "interval"


def _apply_meaning(column: GuessedColumn, meaning: str) -> None:
    if meaning not in MEANINGS:
        raise refuse(
            "unknown-name",
            field=f"column:{column.name}",
            value=meaning,
            names=tuple(MEANINGS),
            thing="meaning",
        )
    if meaning != column.stored_as:
        column.stored_as = cast("StoredAs", meaning)
        column.turned = False
        column.reasons = [GuessReason(code="chosen")]
        if meaning == "soc" or meaning in PRICES:
            column.measure = "level"
        elif column.measure == "level":
            column.measure = "interval"
    column.confidence = "certain"


def _settle_repeats(columns: list[GuessedColumn], context: ColumnContext) -> None:
    """Add up tariffs and strings of one meaning, and keep one of other columns of one meaning."""
    guessed = [column for column in columns if f"column:{column.name}" not in context.choices]
    for meaning in {column.stored_as for column in columns} - {"nothing"}:
        same = [column for column in guessed if column.stored_as == meaning]
        if len(same) < 2:
            continue
        if any(column.measure == "counter" for column in same):
            # A counter of a tariff that never ran stands still, at zero or elsewhere.
            for column in same:
                if np.ptp(column.values) == 0:
                    column.measure = "counter"
        if _are_parts(same, meaning):
            for column in same:
                column.add_reason("added_up", count=str(len(same)))
            continue
        best = min(same, key=_preference)
        for column in same:
            if column is not best:
                column.stored_as = "nothing"
                column.confidence = "likely"
                column.add_reason("same_as", column=best.name)


def _are_parts(same: Sequence[GuessedColumn], meaning: str) -> bool:
    """Return whether columns of one meaning are tariffs or strings of one whole."""
    if len({column.measure for column in same}) > 1:
        return False
    if all(find(TARIFF_PART, plain(column.name)) for column in same):
        return True
    without_numbers = {re.sub(r"[\d\W_]+", " ", plain(column.name)).strip() for column in same}
    return len(without_numbers) == 1 and meaning in ENERGIES


def _preference(column: GuessedColumn) -> tuple[int, bool, bool, bool]:
    """Return a sort key: energies before counters before powers, and a whole before a part."""
    name = plain(column.name)
    is_part = find(TARIFF_PART, name) is not None
    is_whole = find(WHOLE, name) is not None
    return RANK[column.measure], is_part, not is_whole, column.confidence != "certain"


def _ask_unit(column: GuessedColumn, context: ColumnContext) -> list[FileQuestion]:
    if not column.values.size:
        return []
    key = f"unit:{column.name}"
    answer = context.choices.get(key)
    if column.unit and answer is None:
        return []
    values = np.abs(column.values)
    if column.stored_as == "soc":
        column.unit = answer or ("%" if values.max() > 1.5 else "")
        column.add_reason("percent_by_figures" if column.unit else "share_by_figures")
        return []
    if column.measure == "level":
        if column.unit and answer not in PRICE_UNITS:
            return []
        column.unit = answer or _likely_price_unit(column, values)
        return [
            FileQuestion(
                key=key,
                code="unit_price",
                column=column.name,
                choices=list(PRICE_UNITS),
                likely=column.unit,
            )
        ]
    column.unit = answer or _likely_energy_unit(column, values, context)
    if column.unit in POWER_UNITS:
        column.measure = "power"
    elif column.measure == "power":
        column.measure = "interval"
    choices = [*ENERGY_UNITS[:2], *POWER_UNITS[:2]]
    return [
        FileQuestion(key=key, code="unit", column=column.name, choices=choices, likely=column.unit)
    ]


def _likely_price_unit(column: GuessedColumn, values: FloatArray) -> str:
    median = float(np.median(values))
    if median < 1.5:
        return "EUR/kWh"
    if column.stored_as == "spot_price" and median > 30:
        return "EUR/MWh"
    return "ct/kWh"


def _likely_energy_unit(column: GuessedColumn, values: FloatArray, context: ColumnContext) -> str:
    if values.size < 2:
        return "kWh"
    energies = np.diff(values).clip(0) if column.measure == "counter" else values
    mean_kw = float(energies.mean()) / context.hours
    return "Wh" if mean_kw > MOST_MEAN_KW else "kWh"


def _ask_sign(
    column: GuessedColumn, columns: list[GuessedColumn], context: ColumnContext
) -> list[FileQuestion]:
    """Ask for the positive direction of a flow.

    A state of charge or solar power beside it makes one answer likely.
    """
    if column.stored_as not in FLOWS:
        return []
    key = f"sign:{column.name}"
    positive = "import" if column.stored_as == "grid" else "charge"
    negative = "export" if column.stored_as == "grid" else "discharge"
    likely = context.choices.get(key)
    if likely not in {positive, negative}:
        likely = None
        related = _relation_to_other(column, columns)
        if related > 0.3:
            likely = positive
        elif related < -0.3:
            likely = negative
    column.turned = likely == negative
    return [
        FileQuestion(
            key=key,
            code=f"sign_{column.stored_as}",
            column=column.name,
            choices=[positive, negative],
            likely=likely,
        )
    ]


def _relation_to_other(column: GuessedColumn, columns: list[GuessedColumn]) -> float:
    """Return a flow's correlation with less sun or a rising state of charge, or zero.

    While the sun shines less is bought; while a battery is charged its state rises.
    """
    is_grid = column.stored_as == "grid"
    meaning = "pv_kwh" if is_grid else "soc"
    beside = next((other for other in columns if other.stored_as == meaning), None)
    if beside is None or beside.values.size != column.values.size:
        return 0.0
    if column.values.size < 24:
        return 0.0
    other = beside.values if is_grid else np.gradient(beside.values)
    if not (np.std(other) > 0 and np.std(column.values) > 0):
        return 0.0
    correlation = float(np.corrcoef(column.values, other)[0, 1])
    return -correlation if is_grid else correlation
