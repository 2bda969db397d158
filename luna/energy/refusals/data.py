"""Refusal reasons of data files: form, columns, instants and units, and rows in quarantine."""

from luna.energy.errors import ConflictError, NotFoundError, UnavailableError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "column-unknown": RefusalReason(
        "Luna knows no such column of {kind}",
        "Choose one of {columns} with --column name={column}, or leave it out with "
        "--ignore {column}.",
    ),
    "column-twice": RefusalReason(
        "two columns of the file stand for this one", "Leave one out with --ignore {column}."
    ),
    "column-missing": RefusalReason(
        "the column is missing", "Add it, or name your column with --column {column}=THEIRS."
    ),
    "file-without-values": RefusalReason("the file has no values", "Add at least one of {series}."),
    "prices-of-both": RefusalReason(
        "the file has market prices as well as the site's own prices",
        "Load them one after the other, each time leaving out the others with --ignore.",
    ),
    "file-malformed": RefusalReason(
        "the file cannot be read after line {line}: {why}",
        "Correct the file and load it again. Nothing was stored.",
    ),
    "too-many-columns": RefusalReason(
        "has more than {most_columns} columns", "Leave out the columns that Luna does not read."
    ),
    "file-damaged": RefusalReason(
        "the compressed file is incomplete or damaged: {why}", "Copy the file again."
    ),
    "file-empty": RefusalReason("the file is empty", "Add a header line and rows."),
    "ragged-line": RefusalReason(
        "line {line} has {cells} cells, the header has {named}",
        "Correct the line and load the file again. Nothing was stored.",
    ),
    "file-slots": RefusalReason(
        "the time steps of the file do not divide an hour evenly",
        "Convert it to steps of 5, 15, 30 or 60 minutes.",
    ),
    "file-step-changes": RefusalReason(
        "the time step changes in the file, from {step} to {other} minutes",
        "Load each part as a file of its own.",
    ),
    "values-unusual": RefusalReason(
        "half of the values are above this many kWh per {step} minutes",
        "Nothing was stored. {hint}If the values are right, give the site's limits, such "
        "as grid.import_limit_kw.",
    ),
    "power-for-energy": RefusalReason(
        "this column holds power, but Luna needs the energy per time step",
        "Load it as readings (--kind readings) and name its sensor under input_sensors, "
        "or give another unit with --unit.",
    ),
    "no-unit-of-column": RefusalReason(
        "this column cannot have this unit", "Choose one of these for {column}: {units}."
    ),
    "tariff-without-market": RefusalReason(
        "the site's tariff does not depend on a market",
        "Load import_price instead, or give the site a tariff of kind spot.",
    ),
    "row-too-short": RefusalReason(
        "{minutes} minutes alone are shorter than a quarter-hour",
        "Correct the file and load it again.",
    ),
    "row-not-let-in": RefusalReason(
        "Luna cannot accept the row: {reason}",
        "Correct it: luna data quarantine correct {quarantine_id} --site NAME --value "
        "COLUMN=VALUE; or dismiss it.",
        kinds={"why": "row"},
    ),
    "built-day-not-corrected": RefusalReason(
        "single values of a recalculated day cannot be corrected",
        "Release it to take the new day, dismiss it to keep the stored day, or load the "
        "right readings.",
    ),
    "days-would-change": RefusalReason(
        "the values of {day} would change: {reason}; series of days that would change: "
        "{count}; nothing was changed",
        "Check the units and roles of the sensors. If the new values are right, accept "
        "them: --accept (in a request: accept).",
        error=ConflictError,
        kinds={"day": "day", "why": "row"},
    ),
    "entry-of-readings": RefusalReason(
        "the entry covers {count} readings; one value cannot correct them all",
        "Release or dismiss them, or load the right readings: luna data load FILE --kind readings.",
    ),
    "form-malformed": RefusalReason(
        "the form cannot be read: {why}",
        "Send it as an HTTP library writes it. Nothing was stored.",
    ),
    "too-many-uploads": RefusalReason(
        "Luna is receiving {count} files already",
        "Try again once one of them has arrived.",
        error=UnavailableError,
    ),
    "form-without-file": RefusalReason(
        "the form has no file", "Send each file as a part of this name."
    ),
    "form-not-multipart": RefusalReason(
        "the body is not a multipart form",
        "Send a form: curl --form file=@meter.csv --form site=home --form kind=observations",
    ),
    "form-two-files": RefusalReason("the form has two files", "Send them one after the other."),
    "form-field-too-long": RefusalReason(
        "is longer than {bytes} bytes",
        "Shorten it. A file goes into the part {part}.",
        kinds={"bytes": "bytes"},
    ),
    "form-too-many-fields": RefusalReason(
        "the form has more than {count} fields", "Send fewer fields."
    ),
    "form-no-such-field": RefusalReason(
        "the form has no such field", "Use {first}kind, timezone, columns, ignore, units or file."
    ),
    "form-without-site": RefusalReason("the form names no site", "Add --form site=home."),
    "form-two-names": RefusalReason(
        "two names are needed", "Write Luna's name, =, the file's name: {example}."
    ),
    "row-decided": RefusalReason(
        "the row is already {decision}",
        "Load a file with the right value instead.",
        error=ConflictError,
    ),
    "correction-values": RefusalReason(
        "a correction needs values, and nothing else takes them",
        "Give values with corrected; otherwise leave them out.",
    ),
    "no-value-changed": RefusalReason(
        "no value was changed", "Change a value, or release the row as it is."
    ),
    "too-many-rows": RefusalReason(
        "has more than {most:,} rows",
        "Nothing was stored. Load the file in parts, or raise LUNA_LOAD_MAX_ROWS for the worker.",
    ),
    "line-too-long": RefusalReason(
        "has a line of more than {most:,} bytes",
        "Nothing was stored. Load the file in parts, or raise LUNA_LOAD_MAX_LINE_BYTES for "
        "the worker.",
        kinds={"most": "bytes"},
    ),
    "file-too-large": RefusalReason(
        "has more than {most:,} bytes, unpacked",
        "Nothing was stored. Load the file in parts, or raise LUNA_LOAD_MAX_BYTES for the worker.",
        kinds={"most": "bytes"},
    ),
    "rows-too-high": RefusalReason(
        "{count:,} of {rows:,} rows cannot be right: {reason}", "{remedy}", kinds={"why": "row"}
    ),
    "no-value-usable": RefusalReason(
        "no value of {name} can be used: {reason}", "{remedy}", kinds={"why": "row"}
    ),
    "no-row-usable": RefusalReason(
        "no row can be used: {reason}", "{remedy}", kinds={"why": "row"}
    ),
    "unit-unlike-before": RefusalReason(
        "the unit seems wrong: {share} of the values are above {reached:.4g} {unit}, "
        "{times} times the usual {known:.4g}",
        "Nothing was stored. If the file is in {suspected}, give --unit {name}={other}; "
        "if it is right, --unit {name}={unit}.",
    ),
    "unit-unlike-markets": RefusalReason(
        "the unit seems wrong: {share} of the values are above {reached:.4g} {unit}, "
        "{times} times the highest known price, {known:.4g}",
        "Nothing was stored. If the file is in {suspected}, give --unit {name}={other}; "
        "if it is right, --unit {name}={unit}.",
    ),
    "file-is-archive": RefusalReason(
        "the file is an Excel workbook or a ZIP archive",
        "Save the sheet as CSV, or unpack the archive.",
    ),
    "file-is-utf-16": RefusalReason(
        "the file uses the text encoding UTF-16", "Save it as UTF-8; Excel calls that CSV UTF-8."
    ),
    "file-without-rows": RefusalReason(
        "the file has a header but no rows", "Export a period with measurements."
    ),
    "file-without-table": RefusalReason(
        "the file has no rows with a time and a number",
        "Export quarter-hours or hours as CSV, Excel or JSON.",
    ),
    "json-without-rows": RefusalReason(
        "the JSON has no list of rows",
        "Export the history or statistics of Home Assistant, or a list of objects with a "
        "time and numbers.",
    ),
    "rows-are-days": RefusalReason(
        "each row covers a whole day or more",
        "Export quarter-hours or hours.",
    ),
    "no-column-of-times": RefusalReason(
        "none of the columns contains times", "Export a column with times such as 2024-03-01 14:00."
    ),
    "no-time-readable": RefusalReason(
        "none of the times can be read", "Export times such as 2024-03-01 14:00."
    ),
    "times-too-far-apart": RefusalReason(
        "the file covers more than eighty years", "Check its first and last rows."
    ),
    "no-file-handed-over": RefusalReason(
        "no file was added yet", "Add one: /ui/setup/{draft_id}/data", error=NotFoundError
    ),
    "file-is-pdf": RefusalReason(
        "the file is a PDF", "Export the values as CSV or Excel. Add a PDF as a document."
    ),
    "file-is-parquet": RefusalReason(
        "the file is a Parquet file",
        "Load it and name its kind: luna data load --kind observations.",
    ),
    "file-is-web-page": RefusalReason(
        "the file is a web page, probably the sign-in page of the portal",
        "Sign in to the portal, export again, and open the file to check it.",
    ),
    "workbook-empty": RefusalReason(
        "the workbook has no sheets", "Export it again as .xlsx or CSV."
    ),
    "sheet-too-large": RefusalReason(
        "the sheet “{sheet}” has more than {most:,} cells", "Save it as CSV."
    ),
    "workbook-unreadable": RefusalReason(
        "the workbook is damaged or protected by a password",
        "Save it again without a password, as .xlsx or CSV.",
    ),
    "file-is-zip": RefusalReason(
        "the file is a ZIP archive", "Unpack it, then load the file inside."
    ),
    "workbook-too-large": RefusalReason(
        "the unpacked workbook is larger than {most:,} bytes",
        "Save the sheet as CSV.",
        kinds={"most": "bytes"},
    ),
    "json-too-large": RefusalReason(
        "is larger than {most:,} bytes of JSON",
        "Export fewer days at once, or export CSV.",
        kinds={"most": "bytes"},
    ),
    "json-too-deep": RefusalReason(
        "the JSON is nested too deeply", "Export it again, or export CSV."
    ),
    "file-no-json": RefusalReason("is not valid JSON: {why}", "Export it again."),
    "site-without-sensors": RefusalReason(
        "the site has no sensors",
        "Add them under input_sensors in the site's file, then run luna site add again.",
    ),
    "site-without-home-assistant": RefusalReason(
        "the site has no sensors from Home Assistant",
        "Load a file with the readings of the other sensors.",
    ),
    "backfill-window-empty": RefusalReason(
        "the window is in the future, or ends before it starts", "Choose an earlier start."
    ),
    "level-with-minus": RefusalReason(
        "a state of charge cannot be subtracted", "Remove the minus in front of the sensor."
    ),
    "prices-off-grid": RefusalReason("is not on a quarter-hour", "Round it to quarter-hours."),
    "weather-window": RefusalReason(
        "the end is before the start, or more than {days} days ahead", "Choose another end."
    ),
    "site-without-carbon": RefusalReason(
        "no service has the carbon intensity of this home's country",
        "Set the home's country, set LUNA_ELECTRICITY_MAPS_TOKEN, or load a file.",
    ),
    "market-not-of-tariff": RefusalReason("the site's tariff does not use this market", "{remedy}"),
    "simulated-home-own-broker": RefusalReason(
        "Luna already uses an MQTT broker, and the demo home needs its own",
        "Run the demo home with a separate Luna: LUNA_DATA_FOLDER names another folder.",
        error=ConflictError,
    ),
    "simulated-home-name-taken": RefusalReason(
        "one of the sites has the name of the demo home",
        "Delete that site, or do without the demo home.",
        error=ConflictError,
    ),
}
