"""Refusal reasons of this machine: missing or inaccessible servers, libraries, folders, ports."""

from luna.energy.errors import ConflictError, FullError, MachineError, UnavailableError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "database-full": RefusalReason(
        "the database's disk is full: {why}",
        "Free some space where PostgreSQL keeps its data, then try again; nothing was changed.",
        error=FullError,
    ),
    "database-away": RefusalReason(
        "the database does not answer: {why}",
        "Check that it runs, then try again; nothing was changed.",
        error=UnavailableError,
    ),
    "database-without-memory": RefusalReason(
        "the database has no memory left: {why}",
        "Free some memory where PostgreSQL runs, then try again; nothing was changed.",
        error=UnavailableError,
    ),
    "memory-short": RefusalReason(
        "this machine has too little memory for the request",
        "Try again in a moment, or ask for less at once; nothing was changed.",
        error=UnavailableError,
    ),
    "database-read-only": RefusalReason(
        "the database is read-only: {why}",
        "Wait until the fail-over has ended, or name the server that accepts writes, then "
        "try again; nothing was changed.",
        error=UnavailableError,
    ),
    "downgrade-drops-data": RefusalReason(
        "the downgrade would delete data of {names}",
        "Back them up, then add --yes.",
        error=ConflictError,
    ),
    "tables-of-other-revision": RefusalReason(
        "the tables belong to another version of Luna: {why}",
        "Wait until the update has ended, then try again; if none runs: luna db upgrade.",
        error=UnavailableError,
    ),
    "folder-in-use": RefusalReason(
        "Luna already runs in this folder: process {pid} at {address}, since {since:%Y-%m-%d "
        "%H:%M} UTC",
        "Use that one, stop it first, or give the second Luna its own folder: LUNA_DATA_FOLDER.",
        error=ConflictError,
        kinds={"since": "instant"},
    ),
    "folder-being-taken": RefusalReason(
        "another Luna is starting or stopping in this folder",
        "Try again in a moment.",
        error=ConflictError,
    ),
    "no-such-revision": RefusalReason(
        "the schema has no such revision", "Use {newest}, the newest, or head."
    ),
    "schema-busy": RefusalReason(
        "the schema cannot be changed right now: {why}",
        "Try again in a minute.",
        error=UnavailableError,
    ),
    "secret-not-kept": RefusalReason(
        "a secret of this installation cannot be stored: {why}",
        "Set LUNA_DATA_FOLDER to a folder that Luna can write to, or {setting} to a file "
        "with the secret.",
        error=MachineError,
    ),
    "extra-missing": RefusalReason(
        "{purpose} needs {names}, and {why}",
        'Install it: pip install "luna-energy[{extra}]"; in containers, build the image '
        "with it (docs/operations.md).",
        error=MachineError,
        quotes=True,
    ),
    "extra-not-agreed": RefusalReason(
        "{purpose} needs {names}, not yet installed: {download} MB to download, {megabytes} "
        "MB on disk",
        "Install it: luna extras add {extra}, in a script with --yes; or on the page "
        "Installation, Additions. Remove it again with luna extras remove {extra}.",
        error=MachineError,
    ),
    "extra-not-removed": RefusalReason(
        "{why}", "Call pip uninstall in Luna's environment.", error=MachineError
    ),
    "extra-not-installed": RefusalReason(
        "what {purpose} needs ({names}; {megabytes} MB) could not be installed: {why}",
        "{remedy}",
        error=MachineError,
    ),
    "extra-not-found": RefusalReason(
        "{names} was installed but is not found", "Restart Luna.", error=MachineError
    ),
    "package-changed": RefusalReason(
        "{file} is not the expected file (sha256 {digest}…)",
        "Check which package index pip uses; a mirror may have changed the file.",
        error=MachineError,
    ),
    "package-not-downloaded": RefusalReason(
        "{purpose} ({package} {version}, {megabytes} MB) is not cached and could not be "
        "downloaded: {why}",
        "{remedy}",
        error=MachineError,
    ),
    "pip-missing": RefusalReason(
        "{purpose} ({package} {version}) is not cached, and there is no pip to download it",
        "Install pip, or put {file} into {folder}.",
        error=MachineError,
    ),
    "tracing-libraries": RefusalReason(
        "the libraries for traces are not installed",
        'Install them: pip install "luna-energy[tracing]", or leave LUNA_TRACES_URL empty.',
        error=MachineError,
    ),
    "port-in-use": RefusalReason(
        "another program already uses this port",
        "Set LUNA_API_PORT to a free port.",
        error=MachineError,
    ),
    "cannot-listen": RefusalReason(
        "cannot listen at this address: {why}",
        "Correct LUNA_API_HOST.",
        error=MachineError,
    ),
    "lightgbm-unloadable": RefusalReason(
        "LightGBM cannot be loaded: {why}",
        "Install the system library libgomp1 (Debian, Ubuntu: apt-get install libgomp1; "
        "Fedora: dnf install libgomp; macOS: brew install libomp).",
        error=MachineError,
    ),
    "temporary-files-unwritable": RefusalReason(
        "temporary files cannot be written: {why}",
        "Free some space there, or set TMPDIR to a folder on another disk; nothing was stored.",
        error=MachineError,
    ),
    "listening-notes-unwritable": RefusalReason(
        "the notes on what sensors sent cannot be written: {why}",
        "Free some space, make the folder writable for Luna, or set LUNA_DATA_FOLDER to another.",
        error=MachineError,
    ),
    "index-unwritable": RefusalReason(
        "the index cannot be written: {why}",
        "Free some space there.",
        error=MachineError,
    ),
    "too-many-searchers": RefusalReason(
        "{most} processes are already searching",
        "Run fewer workers, or a Qdrant server.",
        error=MachineError,
    ),
    "tables-of-unknown-revision": RefusalReason(
        "the tables of the database {database} at {host}:{port} have revision {revision}, "
        "which this version of Luna does not know; its newest is {newest}",
        "If a newer Luna made them: run that version, or restore the backup from before its "
        "update (docs/operations.md, An update and the way back). If they are older than "
        "Luna's first release: no version reads them; name an empty database in "
        "LUNA_DATABASE_URL, or for the embedded one another LUNA_DATA_FOLDER, and load the "
        "data again.",
        error=ConflictError,
    ),
}
