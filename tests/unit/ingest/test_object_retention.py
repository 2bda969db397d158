"""How long a file that was handed over is kept."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from luna.energy.errors import NotFoundError
from luna.platform.objects import FileObjects
from services.ingest.object_retention import UPLOAD_RETENTION, forget_old_uploads


def test_a_file_that_nobody_loaded_again_is_removed_after_a_week_and_nothing_else(
    tmp_path: Path,
) -> None:
    objects = FileObjects(tmp_path)
    objects.put("uploads/failed", b"slot_start")
    objects.put("aurora/model", b"trees")
    forget_old_uploads(objects, now=datetime.now(UTC) + UPLOAD_RETENTION - timedelta(hours=1))
    assert objects.get("uploads/failed") == b"slot_start"
    forget_old_uploads(objects, now=datetime.now(UTC) + UPLOAD_RETENTION + timedelta(hours=1))
    assert objects.get("aurora/model") == b"trees"
    with pytest.raises(NotFoundError):
        objects.get("uploads/failed")


def test_a_store_that_is_away_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "objects").write_text("no folder")
    forget_old_uploads(FileObjects(tmp_path / "objects" / "below"), now=datetime.now(UTC))
