"""XLSX: a page per sheet, the sheet's name above its table."""

from datetime import date, datetime, time, timedelta

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from services.rag.extraction.formats.table import row_text
from services.rag.extraction.model import (
    DocumentBlock,
    ExtractionError,
    FileSource,
    FormatReading,
    Note,
)
from services.rag.extraction.zip_containers import check_office

_MOST_CELLS = 20_000_000


def read(source: FileSource) -> FormatReading:
    """Return the sheets with their values, also the hidden ones.

    Formulas have the values of the moment when the file was saved.
    """
    names = check_office(source.path, source.limits)
    notes: list[Note] = []
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        notes.append("macros")
    try:
        with source.path.open("rb") as file:
            workbook = CalamineWorkbook.from_filelike(file)
        sheets = workbook.sheets_metadata
        tables = [sheet for sheet in sheets if sheet.typ == SheetTypeEnum.WorkSheet]
        blocks: list[DocumentBlock] = []
        for number, table in enumerate(tables, 1):
            sheet = workbook.get_sheet_by_name(table.name)
            if sheet.width * sheet.height > _MOST_CELLS:
                raise ExtractionError(
                    "too_large",
                    (
                        f"The sheet “{sheet.name}” spans {sheet.height:,} rows of "
                        f"{sheet.width:,} columns"
                    ),
                )
            lines = (row_text([_format_cell(cell) for cell in row]) for row in sheet.iter_rows())
            rows = [line for line in lines if line]
            if rows:
                blocks += [
                    DocumentBlock("heading", sheet.name, number, 1),
                    DocumentBlock("table", "\n".join(rows), number),
                ]
    except (CalamineError, ValueError, OSError) as exc:
        raise ExtractionError("damaged", "The workbook cannot be opened") from exc
    if any(table.visible != SheetVisibleEnum.Visible for table in tables):
        notes.append("hidden_sheets")
    return FormatReading(blocks=blocks, pages=len(tables), notes=notes)


def _format_cell(cell: float | str | bool | time | date | datetime | timedelta) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    # Further digits than twelve come from the binary storage of decimal fractions.
    return f"{cell:.12g}" if isinstance(cell, float) else str(cell)
