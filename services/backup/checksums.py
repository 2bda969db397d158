"""Verification of a backup without a restore: checksums of its files.

Its segments and objects are decrypted.
"""

import hashlib
from typing import Any

from luna.platform.database.backups import segment_name
from services.backup.chain import find_missing, missing_segment, segment_number
from services.backup.encryption import PIECE_BYTES, damaged
from services.backup.folder import BackupFolder
from services.backup.mirror import check_copies
from services.backup.wal import PARTIAL, SUFFIX


def verify_backup(folder: BackupFolder, at: str) -> dict[str, Any]:
    """Verify a backup and return the numbers of files, segments and objects read.

    Raises:
        MissingSegmentError: a segment is missing in the log that follows it.
        LunaError: a file is damaged or missing, or the key is another.
    """
    manifest, _ = folder.choose(at)
    chain = find_missing(folder, manifest)
    if chain is not None:
        raise missing_segment(folder, manifest, chain)
    for name, entry in manifest.files.items():
        path = folder.backups / manifest.backup_id / name
        try:
            with path.open("rb") as file:
                checksum = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as exc:
            raise damaged(path, exc.strerror or str(exc)) from exc
        if checksum != entry.sha256:
            raise damaged(path, "its checksum is not the manifest's")
        with folder.key.reading(path) as source:
            while source.read(PIECE_BYTES):
                pass
    # The segments from the first to the last that the backup needs.
    size = manifest.segment_bytes
    first = segment_number(manifest.first_segment, size)
    last = segment_number(manifest.last_segment, size)
    numbers = range(first, last + 1)
    segments = [segment_name(manifest.timeline, number * size, size) for number in numbers]
    for name in segments:
        place = folder.wal(manifest.system_identifier)
        whole = place / f"{name}{SUFFIX}"
        partial = place / f"{name}{PARTIAL}{SUFFIX}"
        folder.key.read(whole if whole.exists() else partial, compressed=True)
    check_copies(folder, manifest.objects)
    return {
        "backup": manifest.backup_id,
        "files": len(manifest.files),
        "segments": len(segments),
        "objects": len(manifest.objects),
    }
