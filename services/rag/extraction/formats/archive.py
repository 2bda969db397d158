"""ZIP archives: their files become members; archives in archives are refused."""

from pathlib import PurePosixPath
from tempfile import TemporaryFile
from zipfile import ZipFile, ZipInfo

from services.rag.extraction.detection import is_nested_archive
from services.rag.extraction.model import ExtractionError, FileSource, FormatReading, Member
from services.rag.extraction.zip_containers import Allowance, opened, pieces

_MOST_LISTED = 20
_CLUTTER = {".DS_Store", "Thumbs.db", "desktop.ini"}


def read(source: FileSource) -> FormatReading:
    """Return the members of an archive, written to the source's folder by their numbers.

    The files are named 0000, 0001 and so on.
    """
    allowance = Allowance(source.limits)
    # Folders and what systems leave behind count little: so many entries are looked at, and then so
    # many files.
    with opened(
        source.path, source.limits, most_entries=_MOST_LISTED * source.limits.members
    ) as container:
        entries = []
        for entry in container.infolist():
            if entry.is_dir() or entry.file_size == 0:
                continue
            parts = PurePosixPath(entry.filename).parts
            if "__MACOSX" not in parts and parts[-1] not in _CLUTTER:
                entries.append(entry)
        if len(entries) > source.limits.members:
            raise ExtractionError(
                "too_large",
                f"It holds {len(entries):,} files; at most {source.limits.members:,} are read",
            )
        if not entries:
            raise ExtractionError("empty", "The archive holds no files")
        members = []
        for index, entry in enumerate(entries):
            member = _unpack(container, entry, index, (source, allowance))
            if member is not None:
                members.append(member)
    return FormatReading(members=members, notes=() if source.folder else ("members_left_out",))


def _unpack(
    container: ZipFile, entry: ZipInfo, index: int, within: tuple[FileSource, Allowance]
) -> Member | None:
    source, allowance = within
    name = str(PurePosixPath(entry.filename.replace("\\", "/")))
    path = None if source.folder is None else source.folder / f"{index:04d}"
    with TemporaryFile() if path is None else path.open("w+b") as file:
        for piece in pieces(container, entry):
            allowance.take(len(piece))
            file.write(piece)
        size = file.tell()
        if is_nested_archive(file):
            raise ExtractionError("nested_archive", f"“{name[:100]}” in it is an archive itself")
    return None if path is None else Member(name, path, size)
