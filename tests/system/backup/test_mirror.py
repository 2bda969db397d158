"""Stored objects copied from an S3 server and put back into another: every object once, what
changed again, what is damaged never.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from luna.platform.objects import S3Objects
from services.backup.encryption import BackupKey
from services.backup.folder import BackupFolder
from services.backup.mirror import ObjectMirror, put_back
from tests.support.database.object_servers import add_bucket, run_moto


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[S3Objects, S3Objects]]:
    """Two stores that know nothing of one another: buckets of one server, as two servers take twice
    as long to start.
    """
    with run_moto(tmp_path_factory.mktemp("moto") / "log") as one:
        yield one, add_bucket(one, "other")


def test_objects_of_one_s3_server_are_kept_and_put_back_into_another(
    stores: tuple[S3Objects, S3Objects], tmp_path: Path
) -> None:
    one, other = stores
    folder = BackupFolder(tmp_path / "backups", BackupKey("a key that is long enough for a test"))
    scratch = tmp_path / "scratch"
    contents = {f"models/{number}": bytes([number]) * (number * 7_000) for number in range(12)}
    for key, content in contents.items():
        one.put(key, content)
    mirror = ObjectMirror(folder, one, scratch)
    assert {entry.key for entry in mirror.copy_new(datetime.now(UTC))} == set(contents)
    one.put("models/3", b"trained anew")
    one.remove("models/4")
    # Another process finds what the first had copied.
    entries = ObjectMirror(folder, one, scratch).copy_new(datetime.now(UTC))
    now = {key: content for key, content in contents.items() if key != "models/4"} | {
        "models/3": b"trained anew"
    }
    assert {entry.key for entry in entries} == set(now)

    other.put("models/5", b"something else")
    other.put("beside", b"sessions")
    assert put_back(folder, entries, other, scratch) == len(now)
    assert {stored.key: other.get(stored.key) for stored in other.list_all()} == now | {
        "beside": b"sessions"
    }
    assert put_back(folder, entries, other, scratch) == 0
