"""A file that was handed over, from the store of objects into the database."""

import tempfile
from contextlib import suppress
from pathlib import Path

from luna.contracts.data import LoadFileRequest, LoadReply
from luna.contracts.file_guess import FileGuess, GuessFileRequest
from luna.energy.errors import InvalidInputError, LunaError
from luna.energy.timeline import parse_zone
from luna.platform.private_folders import make_private
from luna.platform.queue import TaskContext
from services.ingest.file_guess.guess import guess_file
from services.ingest.limited_file import FileLimits
from services.ingest.loading import FileForm, LoadReport, load_file


def load_upload(request: LoadFileRequest, work: TaskContext) -> LoadReply:
    """Store the file's rows and forget the file.

    One that is refused stays in the store, so that the job can be tried again.

    Raises:
        NotFoundError: no such site, or the file is no longer there.
        InvalidInputError: the file cannot be used.
        UnavailableError: the store of objects is away.
    """
    zone = parse_zone(request.timezone) if request.timezone else None
    # Not where temporary files usually are: in a container that is memory.
    scratch = work.settings.data_folder / "loads"
    make_private(scratch)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        path = Path(folder) / "file"
        work.objects.fetch(request.object_key, path)
        ignored = frozenset(request.ignore)
        limits = FileLimits.of(work.settings)
        form = FileForm(
            kind=request.kind,
            zone=zone,
            renamed=request.columns,
            ignored=ignored,
            units=request.units,
            scratch=Path(folder),
            received_at=work.clock.now(),
            limits=limits,
        )
        if request.reading is not None:
            form = FileForm.of_reading(
                request.reading, scratch=Path(folder), received_at=work.clock.now(), limits=limits
            )
        try:
            report = load_file(
                work.connection,
                request.site_id,
                path,
                form,
                progress=lambda rows: work.progress(rows, 0, "rows"),
            )
        except InvalidInputError as error:
            # Where the file lay meanwhile tells its owner nothing.
            field = request.file_name if error.field == str(path) else error.field
            raise InvalidInputError(
                error.message, field=field, value=error.value, remedy=error.remedy
            ).because(error.reason, error.parameters) from error
    work.on_commit(lambda: _forget(work, request.object_key))
    return describe(report)


def guess_upload(request: GuessFileRequest, work: TaskContext) -> FileGuess:
    """Return a guess of an uploaded file's content; the file stays.

    Raises:
        NotFoundError: the file is no longer there.
        InvalidInputError: it is no file of times and figures.
        UnavailableError: the store of objects is away.
    """
    scratch = work.settings.data_folder / "loads"
    make_private(scratch)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        path = Path(folder) / "file"
        work.objects.fetch(request.object_key, path)
        try:
            return guess_file(
                path,
                file_name=request.file_name,
                timezone=request.timezone,
                choices=request.choices,
                limits=FileLimits.of(work.settings),
            )
        except InvalidInputError as error:
            field = request.file_name if error.field == str(path) else error.field
            raise InvalidInputError(
                error.message, field=field, value=error.value, remedy=error.remedy
            ).because(error.reason, error.parameters) from error


def describe(report: LoadReport) -> LoadReply:
    """Return the report as it leaves Luna."""
    return LoadReply(
        rows=report.rows,
        accepted=report.accepted,
        accepted_in_part=report.accepted_in_part,
        repaired=report.repaired,
        quarantined=report.quarantined,
        duplicated=report.duplicated,
        repairs=dict(report.repairs),
        reasons=report.reasons,
        notes=report.notes,
        step_minutes=None if report.step is None else report.step.total_seconds() / 60,
        first=report.first,
        last=report.last,
        inserted=report.written.inserted,
        updated=report.written.updated,
        unchanged=report.written.unchanged,
    )


def _forget(work: TaskContext, key: str) -> None:
    # The rows are stored; a file that cannot be removed now is one too many, not a failure.
    with suppress(LunaError):
        work.objects.remove(key)
