"""How a file of anybody's is read, and what would be stored of it.

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
    """How the rows of a file lie in it.

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
    """What a column is stored as, and in which unit it is.

    ``turned``: its sign is the other way round.
    """

    name: ColumnName
    stored_as: StoredAs
    unit: Annotated[str, Field(max_length=40)] = ""
    measure: Measure = "interval"
    turned: bool = False


class FileReading(Message):
    """How a file is read, whole: nothing about it is left to guess.

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
        """What it is loaded as."""
        return (
            "prices"
            if any(column.stored_as.endswith("_price") for column in self.columns)
            else "observations"
        )


class GuessReason(Message):
    """Why something was guessed: the name of a phrase, and its figures."""

    code: Annotated[str, Field(max_length=60)]
    figures: Mapping[str, str] = {}


class ColumnGuess(Message):
    """What a column seems to be, how sure that is and why; ``examples`` are its first cells."""

    name: str
    stored_as: StoredAs
    unit: str
    measure: Measure
    confidence: Confidence
    reasons: list[GuessReason]
    examples: list[str]


class FileQuestion(Message):
    """What the file cannot tell: which choices there are, and which is the likely one.

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
    """What a local month comes to: kWh, or the mean of shares and prices."""

    month: str
    name: str
    value: float


class FilePreview(Message):
    """What would be stored, as far as the sample goes; ``whole``: it is the whole file."""

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
    """What a file seems to be.

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
    """Guess what a file in the store of objects is, and show what would be stored; nothing is."""

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
