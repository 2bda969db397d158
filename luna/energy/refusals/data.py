"""Refusal reasons of data files: form, columns, instants and units, and rows in quarantine."""

from luna.energy.errors import ConflictError, NotFoundError, UnavailableError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "no-such-kind": RefusalReason("no such kind of file", "Choose one of {kinds}."),
    "column-unknown": RefusalReason(
        "no column of {kind}",
        "Known are {columns}; name yours with --column name={column}, or leave it out with "
        "--ignore {column}.",
    ),
    "column-twice": RefusalReason(
        "two columns of the file are this one", "Leave one out with --ignore {column}."
    ),
    "column-missing": RefusalReason(
        "the column is missing", "Add it, or name yours with --column {column}=THEIRS."
    ),
    "file-without-values": RefusalReason(
        "the file has no values", "It needs at least one of {series}."
    ),
    "prices-of-both": RefusalReason(
        "the file has both the market's and the site's prices",
        "Load them one after the other with --ignore.",
    ),
    "no-such-column": RefusalReason("no such column", "{kind} have {columns}."),
    "file-lacks-column": RefusalReason("the file has no such column", "It has {there}."),
    "file-malformed": RefusalReason(
        "the file is malformed somewhere after line {line}: {why}",
        "Correct it; nothing was stored.",
        quotes=True,
    ),
    "too-many-columns": RefusalReason(
        "has more than {most_columns} columns", "Leave out those that Luna does not read."
    ),
    "file-damaged": RefusalReason(
        "the compressed file is cut off or damaged: {why}", "Copy it again, whole."
    ),
    "data-file-unreadable": RefusalReason("cannot be read: {why}", "Name a readable file."),
    "file-empty": RefusalReason("the file is empty", "Give a header line and rows."),
    "ragged-line": RefusalReason(
        "line {line} has {cells} cells, the header names {named}",
        "Correct the line; nothing was stored.",
    ),
    "file-slots": RefusalReason(
        "the slots of the file do not divide an hour", "Resample it to 5, 15, 30 or 60 minutes."
    ),
    "file-step-changes": RefusalReason(
        "the step changes within the file, from {step} to {other} minutes",
        "Load each part as a file of its own.",
    ),
    "values-unusual": RefusalReason(
        "half of the slots of {step} minutes hold more than this many kWh",
        "Nothing was stored. {hint}If it is true, name grid.import_limit_kw and the like "
        "in the site's file.",
    ),
    "unit-lacks-column": RefusalReason("the file has no such column", "It has {matched}."),
    "power-for-energy": RefusalReason(
        "a power, where the energy of each slot is needed",
        "Load a power as readings (--kind readings) and name its sensor under "
        "input_sensors, or say another unit with --unit.",
    ),
    "no-unit-of-column": RefusalReason("no unit of this column", "{column} may be in {units}."),
    "tariff-without-market": RefusalReason(
        "the site's tariff names no market", "Give import_price instead, or a tariff of kind spot."
    ),
    "value-unknown-column": RefusalReason("no column of {kind}", "Known are {columns}."),
    "row-too-short": RefusalReason(
        "{minutes} minutes alone make no quarter-hour", "Correct the file and load it again."
    ),
    "row-not-let-in": RefusalReason(
        "the row cannot be let in: {why}",
        "Correct it: luna data quarantine correct {quarantine_id} --site NAME --value "
        "COLUMN=VALUE; or dismiss it.",
        kinds={"why": "row"},
    ),
    "built-day-not-corrected": RefusalReason(
        "a day that was built again cannot be corrected",
        "Release it to take what was built again, dismiss it to keep the stored day, or "
        "load the right readings.",
    ),
    "days-would-change": RefusalReason(
        "{day} would become another day: {why}; such series of days: {count}; nothing was changed",
        "Check unit and role of its sensors; where the new figures are right, build again "
        "with --accept (in a request: accept).",
        error=ConflictError,
        kinds={"day": "day", "why": "row"},
    ),
    "entry-of-readings": RefusalReason(
        "the entry stands for {count} readings, which no single value corrects",
        "Release or dismiss them, or load the right readings: luna data load FILE --kind readings.",
    ),
    "form-malformed": RefusalReason(
        "the form is malformed: {why}", "Send it as the client's library makes it."
    ),
    "too-many-uploads": RefusalReason(
        "{count} files come in already",
        "Try again once one of them is there.",
        error=UnavailableError,
    ),
    "form-without-file": RefusalReason(
        "the form has no file", "Send the file as a part of that name."
    ),
    "form-part-name": RefusalReason("the name of a part is no text", "Send the form in UTF-8."),
    "form-not-multipart": RefusalReason(
        "the body is no multipart form",
        "Send a form: curl --form file=@meter.csv --form site=home --form kind=observations",
    ),
    "form-cut-off": RefusalReason("the form is cut off", "Send all of it; nothing was stored."),
    "form-two-files": RefusalReason("the form has two files", "Send them one after the other."),
    "form-field-too-long": RefusalReason(
        "has more than {bytes} bytes", "The file goes into the part {part}."
    ),
    "form-nul": RefusalReason("holds a NUL", "Send plain text."),
    "form-too-many-fields": RefusalReason("more than {count} fields", "Send fewer."),
    "form-hung-up": RefusalReason("the caller hung up", "Send all of it; nothing was stored."),
    "form-no-such-field": RefusalReason(
        "no such field", "Known are {first}kind, timezone, columns, ignore, units and file."
    ),
    "form-without-site": RefusalReason("the form names no site", "Add --form site=home."),
    "form-two-names": RefusalReason(
        "two names are needed", "Write Luna's name, =, the file's: {example}."
    ),
    "no-such-row": RefusalReason(
        "the site has no such row",
        "List its rows: luna data quarantine list --site {site_id}.",
        error=NotFoundError,
    ),
    "no-such-quarantine-row": RefusalReason(
        "no such row in quarantine",
        "`luna data quarantine list --site NAME` shows those there are.",
        error=NotFoundError,
    ),
    "row-decided": RefusalReason(
        "the row was {decision} already", "Load the right value instead.", error=ConflictError
    ),
    "correction-values": RefusalReason(
        "a correction needs values, and only a correction has them", None
    ),
    "no-value-changed": RefusalReason(
        "no value was changed", "Change a value, or let the row in as it is."
    ),
    "too-many-rows": RefusalReason(
        "has more than {most:,} rows",
        "Nothing was stored. Load the file in parts, or raise LUNA_LOAD_MAX_ROWS for the worker.",
    ),
    "line-too-long": RefusalReason(
        "has a line of more than {most:,} bytes",
        "Nothing was stored. Load the file in parts, or raise LUNA_LOAD_MAX_LINE_BYTES for "
        "the worker.",
    ),
    "file-too-large": RefusalReason(
        "has more than {most:,} bytes, unpacked",
        "Nothing was stored. Load the file in parts, or raise LUNA_LOAD_MAX_BYTES for the worker.",
    ),
    "rows-too-high": RefusalReason(
        "{count:,} of {rows:,} rows cannot be: {why}", "{remedy}", kinds={"why": "row"}
    ),
    "no-value-usable": RefusalReason(
        "not a single {name} can be used: {why}", "{remedy}", kinds={"why": "row"}
    ),
    "no-row-usable": RefusalReason(
        "not a single row can be used: {why}", "{remedy}", kinds={"why": "row"}
    ),
    "unit-unlike-before": RefusalReason(
        "{share} of the values lie beyond {reached:.4g} {unit}, {times} times {known:.4g}, "
        "what the same series held in the weeks beside it",
        "Nothing was stored. If the file is in {suspected}, say it with --unit "
        "{name}={other}; if it is right, with --unit {name}={unit}.",
    ),
    "unit-unlike-markets": RefusalReason(
        "{share} of the values lie beyond {reached:.4g} {unit}, {times} times {known:.4g}, "
        "the dearest day that markets are known for",
        "Nothing was stored. If the file is in {suspected}, say it with --unit "
        "{name}={other}; if it is right, with --unit {name}={unit}.",
    ),
    "file-is-archive": RefusalReason(
        "the file is an Excel workbook or a ZIP archive",
        "Save the sheet as CSV, or unpack the archive.",
    ),
    "file-is-utf-16": RefusalReason(
        "the file is text in UTF-16", "Save it as UTF-8; Excel calls that CSV UTF-8."
    ),
    "file-without-rows": RefusalReason(
        "the file has a header and no rows", "Export a time in which something was measured."
    ),
    "file-without-table": RefusalReason(
        "the file has no rows with a time and a figure",
        "Export quarter-hours or hours as CSV, Excel or JSON.",
    ),
    "json-without-rows": RefusalReason(
        "the JSON holds no list of rows",
        "Export the history or the statistics of Home Assistant, or a list of objects with "
        "a time and figures.",
    ),
    "rows-are-days": RefusalReason(
        "each row is a whole day or more",
        "Export hours, or better quarter-hours: Luna plans by them.",
    ),
    "no-column-of-times": RefusalReason(
        "no column holds times", "Export it with a column of times such as 2024-03-01 14:00."
    ),
    "no-time-readable": RefusalReason(
        "not a single time can be read", "Export it with times such as 2024-03-01 14:00."
    ),
    "no-such-meaning": RefusalReason("no such meaning", "Choose one of {meant}."),
    "times-too-far-apart": RefusalReason(
        "the times of the file lie more than eighty years apart", "Look at its first and last rows."
    ),
    "no-file-handed-over": RefusalReason(
        "no file was handed over", "Hand one over: /ui/setup/{draft_id}/data", error=NotFoundError
    ),
    "file-is-pdf": RefusalReason(
        "the file is a PDF", "Export the figures as CSV or Excel; a PDF goes to the documents."
    ),
    "file-is-parquet": RefusalReason(
        "the file is a Parquet file", "Load it with its kind: luna data load --kind observations."
    ),
    "file-is-old-workbook": RefusalReason(
        "the file is an old Excel workbook (.xls)", "Save it as .xlsx or as CSV."
    ),
    "file-is-picture": RefusalReason(
        "the file is a picture", "Export the figures as CSV or Excel."
    ),
    "file-is-database": RefusalReason(
        "the file is a database of SQLite", "Export the history as CSV or JSON."
    ),
    "file-is-web-page": RefusalReason(
        "the file is a web page, most likely the portal's page to sign in, and no table",
        "Sign in to the portal, export again, and look into the file.",
    ),
    "file-is-xml": RefusalReason(
        "the file is XML, and no table", "Export it as CSV, Excel (.xlsx) or JSON."
    ),
    "file-without-text": RefusalReason(
        "the file holds no text", "Export it as CSV, Excel (.xlsx) or JSON."
    ),
    "workbook-empty": RefusalReason(
        "the workbook has no table", "Export it again as .xlsx or CSV."
    ),
    "sheet-too-large": RefusalReason(
        "the sheet “{sheet}” has more than {most:,} cells", "Save it as CSV."
    ),
    "workbook-unreadable": RefusalReason(
        "the workbook is damaged or locked by a password", "Save it anew as .xlsx or CSV."
    ),
    "file-is-zip": RefusalReason(
        "the file is a ZIP archive", "Unpack it, and load the file inside."
    ),
    "workbook-too-large": RefusalReason(
        "the workbook unpacks to more than {most:,} bytes", "Save the sheet as CSV."
    ),
    "json-too-large": RefusalReason(
        "has more than {most:,} bytes of JSON", "Export fewer days at once, or as CSV."
    ),
    "json-too-deep": RefusalReason("the JSON is nested too deep", "Export it anew."),
    "file-no-json": RefusalReason("is no JSON: {why}", "Export it anew, whole."),
    "site-without-sensors": RefusalReason(
        "the site names no sensors",
        "Name them under input_sensors in the site's file and add it again with `luna site add`.",
    ),
    "site-without-home-assistant": RefusalReason(
        "the site names no sensors of Home Assistant",
        "Only Home Assistant knows what its sensors said; load a file of readings for the others.",
    ),
    "backfill-window-empty": RefusalReason(
        "the window ends before it begins, or lies ahead", "Begin earlier."
    ),
    "level-with-minus": RefusalReason("a state of charge cannot be taken off", "Remove the minus."),
    "prices-window": RefusalReason(
        "the time lies between a first and a later last instant, {days} days at most",
        "Give both, in this order.",
    ),
    "prices-off-grid": RefusalReason("not on a quarter-hour", "Round to quarter-hours."),
    "weather-window": RefusalReason(
        "the time ends before it begins, or more than {days} days ahead", "Choose another end."
    ),
    "market-not-of-tariff": RefusalReason("is no market of the site's tariff", "{remedy}"),
    "simulated-home-own-broker": RefusalReason(
        "Luna speaks to a broker already, and the simulated home has its own",
        "Try the simulated home with a Luna of its own: LUNA_DATA_FOLDER names another folder.",
        error=ConflictError,
    ),
    "simulated-home-name-taken": RefusalReason(
        "a site has the simulated home's name",
        "Delete it, or keep it and do without.",
        error=ConflictError,
    ),
}
