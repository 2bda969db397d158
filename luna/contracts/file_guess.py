"""Guesses at the layout of any file, and a preview of its content.

A column is what was guessed from a sample, or chosen by a person.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from luna.contracts.message import Message, Request

# ``grid``: import above zero, export below, or turned; ``battery``: charging above zero,
# discharging below, or turned.
StoredAs = Literal[
    "import_kwh",
    "export_kwh",
    "pv_kwh",
    "load_kwh",
    "charge_kwh",
    "discharge_kwh",
    "grid",
    "battery",
    "soc",
    "import_price",
    "export_price",
    "spot_price",
    "time",
    "nothing",
]
# interval: the energy of each row's interval; counter: a meter's reading; power: a mean or
# momentary power; level: a share or a price.
Measure = Literal["interval", "counter", "power", "level"]
Label = Literal["start", "end"]
DayOrder = Literal["year_first", "day_first", "month_first"]
Confidence = Literal["certain", "likely", "unknown"]
ColumnName = Annotated[str, Field(min_length=1, max_length=200)]
Choice = Annotated[str, Field(max_length=100)]


class FileLayout(Message):
    """The layout of a file's rows.

    ``names`` are those of its columns, of states and statistics those of its entities.
    """

    form: Literal["text", "workbook", "states", "records"]
    names: Annotated[list[ColumnName], Field(max_length=300)]
    encoding: Annotated[str, Field(max_length=40)] = "utf-8"
    separator: Annotated[str, Field(max_length=1)] = ","
    skipped_lines: Annotated[
        int, Field(ge=0, le=1000, description="above the first row of values")
    ] = 0
    decimal_comma: bool = False
    sheet: Annotated[str | None, Field(max_length=200)] = None
    name_column: Annotated[
        str | None,
        Field(
            max_length=200,
            description="that says whose value a row has, where rows are one value each",
        ),
    ] = None
    value_column: Annotated[str | None, Field(max_length=200)] = None


class ReadColumn(Message):
    """The series and the unit that a column is stored in.

    ``turned``: its sign is the other way round.
    """

    name: ColumnName
    stored_as: StoredAs
    unit: Annotated[str, Field(max_length=40)] = ""
    measure: Measure = "interval"
    turned: bool = False


class FileReading(Message):
    """The complete reading of a file, with nothing left to guess.

    Columns stored as the same are added up.
    """

    layout: FileLayout
    time_columns: Annotated[list[ColumnName], Field(min_length=1, max_length=2)]
    day_order: DayOrder
    zone: Annotated[
        str, Field(max_length=100, description="where the clock of times without offset stands")
    ]
    label: Label
    step_seconds: Annotated[
        int | None, Field(ge=1, le=86_400, description="None: its rows come when something changes")
    ]
    columns: Annotated[list[ReadColumn], Field(min_length=1, max_length=300)]

    @property
    def kind(self) -> Literal["observations", "prices"]:
        """The kind of data that it is loaded as."""
        has_prices = any(column.stored_as.endswith("_price") for column in self.columns)
        return "prices" if has_prices else "observations"


class GuessReason(Message):
    """The reason for a guess: the name of a phrase, and its figures."""

    code: Annotated[str, Field(max_length=60)]
    figures: Mapping[str, str] = {}


class ColumnGuess(Message):
    """A guess at a column, with its certainty and reasons.

    ``examples`` are its first cells.
    """

    name: str
    stored_as: StoredAs
    unit: str
    measure: Measure
    confidence: Confidence
    reasons: list[GuessReason]
    examples: list[str]


class FileQuestion(Message):
    """A question that the file cannot answer, with its choices and the likely one.

    None: there is none, so that nothing is stored without an answer.
    """

    key: Annotated[str, Field(description="the name under which ``choices`` has the answer")]
    code: str
    column: str | None = None
    choices: list[str]
    likely: str | None = None


class PreviewSeries(Message):
    """A series as it would be stored: energy per slot, share or price, from ``start`` on.

    None where nothing is known.
    """

    name: str
    values: list[float | None]


class PreviewTotal(Message):
    """A local month's kWh, or its mean of shares and prices."""

    month: str
    name: str
    value: float


class FilePreview(Message):
    """The content that would be stored, as far as the sample goes.

    ``whole``: the sample is the whole file.
    """

    whole: bool
    rows: int
    first: datetime | None
    last: datetime | None
    start: datetime | None
    step_seconds: int
    series: list[PreviewSeries]
    totals: list[PreviewTotal]
    lost: Annotated[int, Field(description="rows of which the time could not be read")] = 0


class FileGuess(Message):
    """The guessed content of a file.

    ``reading`` is None as long as a question without a likely answer is open.
    """

    file_name: str
    layout: FileLayout
    columns: list[ColumnGuess]
    reasons: list[GuessReason]
    questions: list[FileQuestion]
    reading: FileReading | None
    preview: FilePreview | None


class GuessFileRequest(Request):
    """Guess the content of a file in the store of objects.

    It shows what would be stored, and stores nothing.
    """

    task: ClassVar[str] = "ingest.file.guess"
    reply: ClassVar[type[Message]] = FileGuess

    object_key: Annotated[str, Field(max_length=1000)]
    file_name: Annotated[str, Field(max_length=200)] = "file"
    timezone: Annotated[str, Field(max_length=100, description="of the site")]
    choices: Annotated[
        Mapping[ColumnName, Choice],
        Field(
            max_length=1000,
            description="what a person chose: zone, label, day_order, column:NAME, …",
        ),
    ] = {}
