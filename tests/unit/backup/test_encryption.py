"""Files that the age format's own library opens, and what is said of those that it does not."""

import io
from pathlib import Path

import pyrage
import pytest

from luna.energy.errors import InvalidInputError, MachineError
from services.backup.encryption import BackupKey

KEY = BackupKey("a secret that has more than 32 characters")


@pytest.mark.parametrize("size", [0, 1, 65_536, 3_000_000])
def test_what_was_encrypted_is_read_again(tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    KEY.seal(io.BytesIO(content), tmp_path / "file")
    assert KEY.read(tmp_path / "file") == content


def test_the_identity_opens_it_without_luna(tmp_path: Path) -> None:
    KEY.seal_bytes(b"kept", tmp_path / "file")
    identity = pyrage.x25519.Identity.from_str(KEY.identity)
    assert pyrage.decrypt((tmp_path / "file").read_bytes(), [identity]) == b"kept"


@pytest.mark.parametrize("cut", [1, 20, 70_000, 190_000])
def test_a_file_that_was_cut_short_is_never_taken_for_whole(tmp_path: Path, cut: int) -> None:
    KEY.seal(io.BytesIO(b"x" * 200_000), tmp_path / "file")
    (tmp_path / "file").write_bytes((tmp_path / "file").read_bytes()[:-cut])
    with pytest.raises(MachineError, match="is damaged"):
        KEY.read(tmp_path / "file")


def test_another_key_is_told_from_damage(tmp_path: Path) -> None:
    KEY.seal_bytes(b"kept", tmp_path / "file")
    with pytest.raises(InvalidInputError, match="another key"):
        BackupKey("another secret of more than 32 characters").read(tmp_path / "file")


def test_a_source_that_fails_leaves_no_file(tmp_path: Path) -> None:
    class Failing:
        def read(self, size: int = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises((MachineError, pyrage.EncryptError)):
        KEY.seal(Failing(), tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_names_of_objects_are_the_same_for_the_same_content_and_tell_nobody_which() -> None:
    other = BackupKey("another secret of more than 32 characters")
    assert KEY.name_of("ab") == KEY.name_of("ab")
    assert len({KEY.name_of("ab"), KEY.name_of("cd"), other.name_of("ab")}) == 3
