"""What is refused of files: their form, columns, instants and units, and rows in quarantine."""

from luna.energy.errors import ConflictError, NotFoundError, UnavailableError
from luna.energy.refusals.reason import PageText, RefusalReason

REASONS: dict[str, RefusalReason] = {
    "no-such-kind": RefusalReason(
        "no such kind of file",
        "Choose one of {kinds}.",
        PageText("Diese Art von Datei gibt es nicht.", "Wähl eine davon: {kinds}."),
    ),
    "column-unknown": RefusalReason(
        "no column of {kind}",
        "Known are {columns}; name yours with --column name={column}, or leave it out with --ignore {column}.",
        PageText("Die Spalte {column} kennt Luna nicht.", "Bekannt sind {columns}. Ordne sie einer davon zu, oder lass sie weg."),
        PageText("Luna does not know the column {column}.", "Known are {columns}. Map yours to one of them, or leave it out."),
    ),
    "column-twice": RefusalReason(
        "two columns of the file are this one",
        "Leave one out with --ignore {column}.",
        PageText("Zwei Spalten der Datei sind diese eine.", "Lass eine weg: {column}."),
        PageText("Two columns of the file are this one.", "Leave one out: {column}."),
    ),
    "column-missing": RefusalReason(
        "the column is missing",
        "Add it, or name yours with --column {column}=THEIRS.",
        PageText("Die Spalte {column} fehlt.", "Füg sie hinzu, oder nenn die Spalte der Datei, die sie ist."),
        PageText("The column {column} is missing.", "Add it, or name the column of the file that it is."),
    ),
    "file-without-values": RefusalReason(
        "the file has no values",
        "It needs at least one of {series}.",
        PageText("Die Datei hat keine Werte.", "Sie braucht mindestens eine dieser Spalten: {series}."),
    ),
    "prices-of-both": RefusalReason(
        "the file has both the market's and the site's prices",
        "Load them one after the other with --ignore.",
        PageText("Die Datei hat Preise des Marktes und des Standorts.", "Lade sie nacheinander, und lass jeweils die anderen weg."),
        PageText("The file has both the market's and the site's prices.", "Load them one after the other, and leave the others out."),
    ),
    "no-such-column": RefusalReason(
        "no such column",
        "{kind} have {columns}.",
        PageText("Diese Spalte kennt Luna hier nicht.", "{kind} haben {columns}."),
    ),
    "file-lacks-column": RefusalReason(
        "the file has no such column",
        "It has {there}.",
        PageText("Diese Spalte hat die Datei nicht.", "Sie hat {there}."),
    ),
    "file-malformed": RefusalReason(
        "the file is malformed somewhere after line {line}: {why}",
        "Correct it; nothing was stored.",
        PageText("Nach Zeile {line} lässt sich die Datei nicht lesen.", "Verbessere sie; gespeichert ist nichts."),
        quotes=True,
    ),
    "too-many-columns": RefusalReason(
        "has more than {most_columns} columns",
        "Leave out those that Luna does not read.",
        PageText("Die Datei hat mehr als {most_columns} Spalten.", "Lass weg, was Luna nicht liest."),
    ),
    "file-damaged": RefusalReason(
        "the compressed file is cut off or damaged: {why}",
        "Copy it again, whole.",
        PageText("Die komprimierte Datei ist abgeschnitten oder beschädigt.", "Kopier sie noch einmal ganz."),
    ),
    "data-file-unreadable": RefusalReason(
        "cannot be read: {why}",
        "Name a readable file.",
        PageText("Die Datei lässt sich nicht lesen.", "Nenn eine lesbare Datei."),
    ),
    "file-empty": RefusalReason(
        "the file is empty",
        "Give a header line and rows.",
        PageText("Die Datei ist leer.", "Gib eine Kopfzeile und Zeilen."),
    ),
    "ragged-line": RefusalReason(
        "line {line} has {cells} cells, the header names {named}",
        "Correct the line; nothing was stored.",
        PageText("Zeile {line} hat {cells} Zellen, die Kopfzeile nennt {named}.", "Verbessere die Zeile; gespeichert ist nichts."),
    ),
    "file-slots": RefusalReason(
        "the slots of the file do not divide an hour",
        "Resample it to 5, 15, 30 or 60 minutes.",
        PageText("Die Zeitschritte der Datei teilen keine Stunde.", "Rechne sie auf 5, 15, 30 oder 60 Minuten um."),
    ),
    "file-step-changes": RefusalReason(
        "the step changes within the file, from {step} to {other} minutes",
        "Load each part as a file of its own.",
        PageText("Die Schritte der Datei ändern sich, von {step} auf {other} Minuten.", "Lade jeden Teil als eigene Datei."),
    ),
    "values-unusual": RefusalReason(
        "half of the slots of {step} minutes hold more than this many kWh",
        "Nothing was stored. {hint}If it is true, name grid.import_limit_kw and the like in the site's file.",
        PageText(
            "Die Hälfte der Zeitschritte von {step} Minuten hat mehr als so viele kWh.",
            "Gespeichert ist nichts. Sag die Einheit der Spalte; stimmt es so, nenn grid.import_limit_kw und die anderen Grenzen beim Standort.",
        ),
        PageText(
            "Half of the slots of {step} minutes hold more than this many kWh.",
            "Nothing was stored. Say the column's unit; if it is true, name grid.import_limit_kw and the like of the site.",
        ),
    ),
    "unit-lacks-column": RefusalReason(
        "the file has no such column",
        "It has {matched}.",
        PageText("Diese Spalte hat die Datei nicht.", "Sie hat {matched}."),
    ),
    "power-for-energy": RefusalReason(
        "a power, where the energy of each slot is needed",
        "Load a power as readings (--kind readings) and name its sensor under input_sensors, or say another unit with --unit.",
        PageText("Das ist eine Leistung, wo die Energie jedes Zeitschritts stehen muss.", "Lade eine Leistung als Messwerte, oder sag eine andere Einheit."),
        PageText("This is a power, where the energy of each slot is needed.", "Load a power as readings, or say another unit."),
    ),
    "no-unit-of-column": RefusalReason(
        "no unit of this column",
        "{column} may be in {units}.",
        PageText("Diese Einheit hat die Spalte nicht.", "{column} hat eine davon: {units}."),
    ),
    "tariff-without-market": RefusalReason(
        "the site's tariff names no market",
        "Give import_price instead, or a tariff of kind spot.",
        PageText("Der Tarif des Standorts nennt keinen Markt.", "Gib stattdessen import_price an, oder einen Tarif der Art spot."),
    ),
    "value-unknown-column": RefusalReason(
        "no column of {kind}",
        "Known are {columns}.",
        PageText("Diese Spalte kennt Luna hier nicht.", "Bekannt sind {columns}."),
    ),
    "row-too-short": RefusalReason(
        "{minutes} minutes alone make no quarter-hour",
        "Correct the file and load it again.",
        PageText("Die Zeile ist kürzer als eine Viertelstunde.", "Verbessere die Datei und lade sie neu."),
        PageText("The row is shorter than a quarter-hour.", "Correct the file, and load it again."),
    ),
    "row-not-let-in": RefusalReason(
        "the row cannot be let in: {why}",
        "Correct it: luna data quarantine correct {quarantine_id} --site NAME --value COLUMN=VALUE; or dismiss it.",
        PageText("So lässt sich die Zeile nicht übernehmen: {why:row}.", "Verbessere den Wert oder lass die Zeile weg."),
        PageText("Like this the row cannot be let in: {why:row}.", "Correct the value, or leave the row out."),
    ),
    "built-day-not-corrected": RefusalReason(
        "a day that was built again cannot be corrected",
        "Release it to take what was built again, dismiss it to keep the stored day, or load the right readings.",
        PageText("Ein neu gebildeter Tag lässt sich nicht verbessern.", "Übernimm das neu Gebildete, lass es weg, oder lade die richtigen Messwerte."),
    ),
    "entry-of-readings": RefusalReason(
        "the entry stands for {count} readings, which no single value corrects",
        "Release or dismiss them, or load the right readings: luna data load FILE --kind readings.",
        PageText("Der Eintrag steht für {count} Messwerte, die kein einzelner Wert verbessert.", "Übernimm sie oder lass sie weg."),
        PageText("The entry stands for {count} readings, which no single value corrects.", "Let them in, or leave them out."),
    ),
    "form-malformed": RefusalReason(
        "the form is malformed: {why}",
        "Send it as the client's library makes it.",
        PageText("Die Datei kam nicht ganz an.", "Schick sie noch einmal; gespeichert ist nichts."),
        PageText("The file did not arrive whole.", "Send it again; nothing was stored."),
    ),
    "too-many-uploads": RefusalReason(
        "{count} files come in already",
        "Try again once one of them is there.",
        PageText("Gerade kommen zu viele Dateien auf einmal an.", "Versuch es gleich noch einmal."),
        PageText("Too many files come in at the same time.", "Try again shortly."),
        error=UnavailableError,
    ),
    "form-without-file": RefusalReason(
        "the form has no file",
        "Send the file as a part of that name.",
        PageText("Es braucht genau eine Datei.", "Wähl eine Datei und schick sie."),
        PageText("It takes one file.", "Choose a file, then send it."),
    ),
    "form-part-name": RefusalReason(
        "the name of a part is no text",
        "Send the form in UTF-8.",
        PageText("Die Datei kam nicht ganz an.", "Schick sie noch einmal; gespeichert ist nichts."),
        PageText("The file did not arrive whole.", "Send it again; nothing was stored."),
    ),
    "form-not-multipart": RefusalReason(
        "the body is no multipart form",
        "Send a form: curl --form file=@meter.csv --form site=home --form kind=observations",
        PageText("Die Datei kam nicht ganz an.", "Schick sie noch einmal; gespeichert ist nichts."),
        PageText("The file did not arrive whole.", "Send it again; nothing was stored."),
    ),
    "form-cut-off": RefusalReason(
        "the form is cut off",
        "Send all of it; nothing was stored.",
        PageText("Die Datei kam nicht ganz an.", "Schick sie noch einmal; gespeichert ist nichts."),
        PageText("The file did not arrive whole.", "Send it again; nothing was stored."),
    ),
    "form-two-files": RefusalReason(
        "the form has two files",
        "Send them one after the other.",
        PageText("Es braucht genau eine Datei.", "Wähl eine Datei und schick sie."),
        PageText("It takes one file.", "Choose a file, then send it."),
    ),
    "form-field-too-long": RefusalReason(
        "has more than {bytes} bytes",
        "The file goes into the part {part}.",
        PageText("Dieses Feld ist zu lang.", "Die Datei gehört in das Feld {part}."),
    ),
    "form-nul": RefusalReason(
        "holds a NUL",
        "Send plain text.",
        PageText("Das enthält ein unlesbares Zeichen.", "Schreib nur Text."),
    ),
    "form-too-many-fields": RefusalReason(
        "more than {count} fields",
        "Send fewer.",
        PageText("Das sind mehr als {count} Felder.", "Schick weniger."),
    ),
    "form-hung-up": RefusalReason(
        "the caller hung up",
        "Send all of it; nothing was stored.",
        PageText("Die Datei kam nicht ganz an.", "Schick sie noch einmal; gespeichert ist nichts."),
        PageText("The file did not arrive whole.", "Send it again; nothing was stored."),
    ),
    "form-no-such-field": RefusalReason(
        "no such field",
        "Known are {first}kind, timezone, columns, ignore, units and file.",
        PageText("Dieses Feld gibt es hier nicht.", "Bekannt sind {first}kind, timezone, columns, ignore, units und file."),
    ),
    "form-without-site": RefusalReason(
        "the form names no site",
        "Add --form site=home.",
        PageText("Das Formular nennt keinen Standort.", "Gib ihn im Feld site an."),
    ),
    "form-two-names": RefusalReason(
        "two names are needed",
        "Write Luna's name, =, the file's: {example}.",
        PageText("Hier braucht es zwei Namen.", "Schreib Lunas Namen, =, den der Datei: {example}."),
    ),
    "no-such-row": RefusalReason(
        "the site has no such row",
        "List its rows: luna data quarantine list --site {site_id}.",
        PageText("Das gibt es nicht oder nicht mehr.", "Lade die Seite neu."),
        PageText("This is not there, or not any more.", "Load the page again."),
        error=NotFoundError,
    ),
    "no-such-quarantine-row": RefusalReason(
        "no such row in quarantine",
        "`luna data quarantine list --site NAME` shows those there are.",
        PageText("Das gibt es nicht oder nicht mehr.", "Lade die Seite neu."),
        PageText("This is not there, or not any more.", "Load the page again."),
        error=NotFoundError,
    ),
    "row-decided": RefusalReason(
        "the row was {decision} already",
        "Load the right value instead.",
        PageText("Über diese Zeile ist schon entschieden.", "Lade stattdessen eine Datei mit dem richtigen Wert."),
        PageText("Somebody has decided about this row already.", "Load a file with the right value instead."),
        error=ConflictError,
    ),
    "correction-values": RefusalReason(
        "a correction needs values, and only a correction has them",
        None,
        PageText("Nur eine Verbesserung hat Werte, und sie braucht welche.", "Gib sie an, oder lass sie weg."),
    ),
    "no-value-changed": RefusalReason(
        "no value was changed",
        "Change a value, or let the row in as it is.",
        PageText("Kein Wert wurde geändert.", "Ändere einen oder übernimm die Zeile, wie sie ist."),
        PageText("No value was changed.", "Change one, or let the row in as it is."),
    ),
    "too-many-rows": RefusalReason(
        "has more than {most:,} rows",
        "Nothing was stored. Load the file in parts, or raise LUNA_LOAD_MAX_ROWS for the worker.",
        PageText("Die Datei hat mehr als {most} Zeilen.", "Gespeichert ist nichts. Lade die Datei in Teilen."),
        PageText("The file has more than {most} rows.", "Nothing was stored. Load the file in parts."),
    ),
    "line-too-long": RefusalReason(
        "has a line of more than {most:,} bytes",
        "Nothing was stored. Load the file in parts, or raise LUNA_LOAD_MAX_LINE_BYTES for the worker.",
        PageText("Die Datei hat eine Zeile von mehr als {most} Bytes.", "Gespeichert ist nichts. Lade die Datei in Teilen."),
        PageText("The file has a line of more than {most} bytes.", "Nothing was stored. Load the file in parts."),
    ),
    "file-too-large": RefusalReason(
        "has more than {most:,} bytes, unpacked",
        "Nothing was stored. Load the file in parts, or raise LUNA_LOAD_MAX_BYTES for the worker.",
        PageText("Die Datei hat ausgepackt mehr als {most} Bytes.", "Gespeichert ist nichts. Lade die Datei in Teilen."),
        PageText("The file has more than {most} bytes, unpacked.", "Nothing was stored. Load the file in parts."),
    ),
    "rows-too-high": RefusalReason(
        "{count:,} of {rows:,} rows cannot be: {why}",
        "{remedy}",
        PageText(
            "{count} von {rows} Zeilen können nicht sein: {why:row}.",
            "Gespeichert ist nichts. Sag die Einheit der Spalte, oder verbessere die Datei oder die Grenzen des Standorts.",
        ),
        PageText("{count} of {rows} rows cannot be: {why:row}.", "Nothing was stored. Say the column's unit, or correct the file or the site's limits."),
    ),
    "no-value-usable": RefusalReason(
        "not a single {name} can be used: {why}",
        "{remedy}",
        PageText("Kein einziger Wert von {name} ist zu gebrauchen: {why:row}.", "Verbessere die Datei; gespeichert ist nichts."),
        PageText("Not a single {name} can be used: {why:row}.", "Correct the file; nothing was stored."),
    ),
    "no-row-usable": RefusalReason(
        "not a single row can be used: {why}",
        "{remedy}",
        PageText("Keine einzige Zeile ist zu gebrauchen: {why:row}.", "Verbessere die Datei; gespeichert ist nichts."),
        PageText("Not a single row can be used: {why:row}.", "Correct the file; nothing was stored."),
    ),
    "unit-unlike-before": RefusalReason(
        "{share} of the values lie beyond {reached:.4g} {unit}, {times} times {known:.4g}, what the same series held in the weeks beside it",
        "Nothing was stored. If the file is in {suspected}, say it with --unit {name}={other}; if it is right, with --unit {name}={unit}.",
        PageText(
            "In {unit} gelesen reichen die Werte bis {reached:number}, {times}-mal die bekannten {known:number}: Sie scheinen in einer"
            " anderen Einheit zu stehen.",
            "Gespeichert ist nichts. Lade die Datei noch einmal mit ihrer Einheit: {name}={other}, oder {name}={unit}, wenn das stimmt.",
        ),
        PageText(
            "Read in {unit} the values reach {reached:number}, {times} times the {known:number} known of them: they seem to be in another unit.",
            "Nothing was stored. Load the file again with its unit: {name}={other}, or {name}={unit} if that is right.",
        ),
    ),
    "unit-unlike-markets": RefusalReason(
        "{share} of the values lie beyond {reached:.4g} {unit}, {times} times {known:.4g}, the dearest day that markets are known for",
        "Nothing was stored. If the file is in {suspected}, say it with --unit {name}={other}; if it is right, with --unit {name}={unit}.",
        PageText(
            "In {unit} gelesen reichen die Werte bis {reached:number}, {times}-mal der teuerste bekannte Tag mit {known:number}: Sie"
            " scheinen in einer anderen Einheit zu stehen.",
            "Gespeichert ist nichts. Lade die Datei noch einmal mit ihrer Einheit: {name}={other}, oder {name}={unit}, wenn das stimmt.",
        ),
        PageText(
            "Read in {unit} the values reach {reached:number}, {times} times the {known:number} of the dearest day known: they seem to be in another unit.",
            "Nothing was stored. Load the file again with its unit: {name}={other}, or {name}={unit} if that is right.",
        ),
    ),
    "file-is-archive": RefusalReason(
        "the file is an Excel workbook or a ZIP archive",
        "Save the sheet as CSV, or unpack the archive.",
        PageText("Die Datei ist eine Arbeitsmappe von Excel oder ein ZIP-Archiv.", "Speicher das Blatt als CSV, oder pack das Archiv aus."),
    ),
    "file-is-utf-16": RefusalReason(
        "the file is text in UTF-16",
        "Save it as UTF-8; Excel calls that CSV UTF-8.",
        PageText("Die Datei ist Text in UTF-16.", "Speicher sie als UTF-8; Excel nennt das CSV UTF-8."),
    ),
    "file-without-rows": RefusalReason(
        "the file has a header and no rows",
        "Export a time in which something was measured.",
        PageText("Die Datei hat eine Kopfzeile und keine Zeilen.", "Lass eine Zeit ausgeben, in der gemessen wurde."),
    ),
    "file-without-table": RefusalReason(
        "the file has no rows with a time and a figure",
        "Export quarter-hours or hours as CSV, Excel or JSON.",
        PageText("Die Datei hat keine Zeilen mit Zeit und Zahl.", "Lass Viertelstunden oder Stunden als CSV, Excel oder JSON ausgeben."),
    ),
    "json-without-rows": RefusalReason(
        "the JSON holds no list of rows",
        "Export the history or the statistics of Home Assistant, or a list of objects with a time and figures.",
        PageText(
            "Im JSON steht keine Liste von Zeilen.",
            "Nimm Verlauf oder Statistik von Home Assistant, oder eine Liste von Objekten mit Zeit und Zahlen.",
        ),
    ),
    "rows-are-days": RefusalReason(
        "each row is a whole day or more",
        "Export hours, or better quarter-hours: Luna plans by them.",
        PageText("Jede Zeile ist ein ganzer Tag oder mehr.", "Lass Stunden ausgeben, besser Viertelstunden: Nach ihnen plant Luna."),
    ),
    "no-column-of-times": RefusalReason(
        "no column holds times",
        "Export it with a column of times such as 2024-03-01 14:00.",
        PageText("Keine Spalte enthält Zeiten.", "Nötig ist eine Spalte mit Zeiten wie 2024-03-01 14:00."),
    ),
    "no-time-readable": RefusalReason(
        "not a single time can be read",
        "Export it with times such as 2024-03-01 14:00.",
        PageText("Keine einzige Zeit ist zu lesen.", "Lesbar sind Zeiten wie 2024-03-01 14:00."),
    ),
    "no-such-meaning": RefusalReason(
        "no such meaning",
        "Choose one of {meant}.",
        PageText("Das kann eine Spalte nicht sein.", "Wähl etwas, das angeboten wird."),
        PageText("A column cannot be this.", "Choose something that is offered."),
    ),
    "times-too-far-apart": RefusalReason(
        "the times of the file lie more than eighty years apart",
        "Look at its first and last rows.",
        PageText("Die Zeiten der Datei liegen mehr als achtzig Jahre auseinander.", "Sieh dir ihre ersten und letzten Zeilen an."),
    ),
    "no-file-handed-over": RefusalReason(
        "no file was handed over",
        "Hand one over: /ui/setup/{draft_id}/data",
        PageText("Es wurde keine Datei übergeben.", "Übergib eine im Schritt Daten."),
        PageText("No file was handed over.", "Hand one over in the step Data."),
        error=NotFoundError,
    ),
    "file-is-pdf": RefusalReason(
        "the file is a PDF",
        "Export the figures as CSV or Excel; a PDF goes to the documents.",
        PageText("Die Datei ist ein PDF.", "Lass die Zahlen als CSV oder Excel ausgeben; ein PDF gehört zu den Dokumenten."),
    ),
    "file-is-parquet": RefusalReason(
        "the file is a Parquet file",
        "Load it with its kind: luna data load --kind observations.",
        PageText("Die Datei ist im Format Parquet.", "Gib sie auf der Seite Daten mit ihrer Art ab."),
        PageText("The file is in the format Parquet.", "Hand it over on the page Data with its kind."),
    ),
    "file-is-old-workbook": RefusalReason(
        "the file is an old Excel workbook (.xls)",
        "Save it as .xlsx or as CSV.",
        PageText("Die Datei ist eine alte Arbeitsmappe von Excel (.xls).", "Speicher sie als .xlsx oder als CSV."),
    ),
    "file-is-picture": RefusalReason(
        "the file is a picture",
        "Export the figures as CSV or Excel.",
        PageText("Die Datei ist ein Bild.", "Lass die Zahlen als CSV oder Excel ausgeben."),
    ),
    "file-is-database": RefusalReason(
        "the file is a database of SQLite",
        "Export the history as CSV or JSON.",
        PageText("Die Datei ist eine Datenbank von SQLite.", "Lass den Verlauf als CSV oder JSON ausgeben."),
    ),
    "file-is-web-page": RefusalReason(
        "the file is a web page, most likely the portal's page to sign in, and no table",
        "Sign in to the portal, export again, and look into the file.",
        PageText(
            "Die Datei ist eine Webseite, vermutlich die Anmeldung des Portals, und keine Tabelle.",
            "Melde dich im Portal an, hol sie noch einmal, und sieh hinein.",
        ),
    ),
    "file-is-xml": RefusalReason(
        "the file is XML, and no table",
        "Export it as CSV, Excel (.xlsx) or JSON.",
        PageText("Die Datei ist XML und keine Tabelle.", "Lass sie als CSV, Excel (.xlsx) oder JSON ausgeben."),
    ),
    "file-without-text": RefusalReason(
        "the file holds no text",
        "Export it as CSV, Excel (.xlsx) or JSON.",
        PageText("Die Datei enthält keinen Text.", "Lass sie als CSV, Excel (.xlsx) oder JSON ausgeben."),
    ),
    "workbook-empty": RefusalReason(
        "the workbook has no table",
        "Export it again as .xlsx or CSV.",
        PageText("Die Arbeitsmappe hat keine Tabelle.", "Lass sie noch einmal als .xlsx oder CSV ausgeben."),
    ),
    "sheet-too-large": RefusalReason(
        "the sheet “{sheet}” has more than {most:,} cells",
        "Save it as CSV.",
        PageText("Das Blatt „{sheet}“ hat mehr als {most} Zellen.", "Speicher es als CSV."),
        PageText("The sheet “{sheet}” has more than {most} cells.", "Save it as CSV."),
    ),
    "workbook-unreadable": RefusalReason(
        "the workbook is damaged or locked by a password",
        "Save it anew as .xlsx or CSV.",
        PageText("Die Arbeitsmappe ist beschädigt oder mit einem Passwort verschlossen.", "Speicher sie neu als .xlsx oder CSV."),
    ),
    "file-is-zip": RefusalReason(
        "the file is a ZIP archive",
        "Unpack it, and load the file inside.",
        PageText("Die Datei ist ein ZIP-Archiv.", "Pack es aus, und lade die Datei darin."),
    ),
    "workbook-too-large": RefusalReason(
        "the workbook unpacks to more than {most:,} bytes",
        "Save the sheet as CSV.",
        PageText("Die Arbeitsmappe ist ausgepackt größer als {most} Bytes.", "Speicher das Blatt als CSV."),
        PageText("Unpacked the workbook is larger than {most} bytes.", "Save the sheet as CSV."),
    ),
    "json-too-large": RefusalReason(
        "has more than {most:,} bytes of JSON",
        "Export fewer days at once, or as CSV.",
        PageText("Die Datei hat mehr als {most} Bytes JSON.", "Lass weniger Tage auf einmal ausgeben, oder als CSV."),
        PageText("The file has more than {most} bytes of JSON.", "Export fewer days at once, or as CSV."),
    ),
    "json-too-deep": RefusalReason(
        "the JSON is nested too deep",
        "Export it anew.",
        PageText("Das JSON ist zu tief verschachtelt.", "Lass es neu ausgeben."),
    ),
    "file-no-json": RefusalReason(
        "is no JSON: {why}",
        "Export it anew, whole.",
        PageText("Die Datei ist kein ganzes JSON.", "Lass sie neu ausgeben, vollständig."),
        PageText("The file is no whole JSON.", "Export it anew, whole."),
    ),
}
