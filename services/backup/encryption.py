"""Encryption of backups: streams to and from files in the age format.

The program ``age`` decrypts them without Luna.
"""

import gzip
import hashlib
import hmac
import io
import os
import secrets
import tarfile
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from luna.energy.errors import InvalidInputError, LunaError, MachineError
from luna.platform.own_secrets import make_secret
from luna.platform.settings import Settings

KEY_FILE = "backup_key"
SHORTEST_KEY = 32
PIECE_BYTES = 1 << 20
_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


class ByteSource(Protocol):
    """A readable binary stream."""

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True)
class Sealed:
    """Size and checksum of an encrypted file."""

    bytes: int
    sha256: str


class BackupKey:
    """The key of an installation's backups, derived from a secret of at least 32 characters."""

    def __init__(self, secret: str) -> None:
        from pyrage import x25519

        # The identity in age's text form. Source: BIP 173, Bech32; age specification (C2SP),
        # X25519.
        key = _derive(secret, "identity")
        prefix = "age-secret-key-"
        bits = "".join(f"{byte:08b}" for byte in key)
        values = []
        for start in range(0, len(bits), 5):
            values.append(int(bits[start : start + 5].ljust(5, "0"), 2))
        high_bits = [ord(letter) >> 5 for letter in prefix]
        low_bits = [ord(letter) & 31 for letter in prefix]
        check = _checksum([*high_bits, 0, *low_bits, *values, *[0] * 6]) ^ 1
        values += [(check >> 5 * (5 - digit)) & 31 for digit in range(6)]
        letters = "".join(_ALPHABET[value] for value in values)
        self.identity = f"{prefix}1{letters}".upper()
        self._identity = x25519.Identity.from_str(self.identity)
        self._public = self._identity.to_public()
        self._name_key = _derive(secret, "names of objects")

    @property
    def recipient(self) -> str:
        """The public key; no secret."""
        return str(self._public)

    def name_of(self, content_sha256: str) -> str:
        """Return the name of an object's copy, a keyed digest.

        It is equal for equal content, and reveals nothing without the key.
        """
        return hmac.new(self._name_key, content_sha256.encode(), "sha256").hexdigest()

    def seal(self, source: ByteSource, path: Path) -> Sealed:
        """Encrypt ``source`` to ``path`` atomically, synced to the disk.

        Raises:
            MachineError: it cannot be written there.
        """
        import pyrage

        unfinished = path.with_name(f".{path.name}.part")
        try:
            with unfinished.open("wb") as file:
                target = _Target(file)
                try:
                    pyrage.encrypt_io(source, target, [self._public])
                except pyrage.EncryptError as exc:
                    raise target.failure or exc from exc
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except OSError as exc:
            raise unwritable(path, exc) from exc
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
        return Sealed(target.bytes, target.digest.hexdigest())

    def seal_bytes(self, content: bytes, path: Path, *, compress: bool = False) -> Sealed:
        """Encrypt ``content`` to ``path``; see ``seal``."""
        return self.seal(io.BytesIO(gzip.compress(content, 1) if compress else content), path)

    @contextmanager
    def reading(self, path: Path) -> Iterator[IO[bytes]]:
        """Yield a stream of the decrypted content of ``path``.

        Raises:
            InvalidInputError: the file was encrypted with another key.
            MachineError: it is damaged, incomplete or unreadable. Raised at the end of the block at
                the latest: do not trust the content before that.
        """
        reader, writer = os.pipe()
        faults: list[Exception] = []
        thread = threading.Thread(target=self._decrypt, args=(path, writer, faults), daemon=True)
        thread.start()
        try:
            with os.fdopen(reader, "rb") as source:
                yield source
                # The rest must be authenticated too, even where the consumer does not read it.
                while source.read(PIECE_BYTES):
                    pass
        except (OSError, EOFError, zlib.error, tarfile.TarError) as exc:
            thread.join()
            # An error of the consumer, such as a full disk while unpacking, is no damage of the
            # backup.
            if isinstance(exc, OSError) and exc.errno:
                raise
            raise _explain(path, faults[0] if faults else exc) from exc
        thread.join()
        if faults:
            raise _explain(path, faults[0]) from faults[0]

    def read(self, path: Path, *, compressed: bool = False) -> bytes:
        """Return the decrypted content of ``path``; raises like ``reading``."""
        with self.reading(path) as source:
            content = source.read()
        try:
            return gzip.decompress(content) if compressed else content
        except (OSError, EOFError, zlib.error) as exc:
            raise _explain(path, exc) from exc

    def _decrypt(self, path: Path, writer: int, faults: list[Exception]) -> None:
        import pyrage

        with os.fdopen(writer, "wb") as target:
            try:
                with path.open("rb") as file:
                    pyrage.decrypt_io(file, target, [self._identity])
            except (pyrage.DecryptError, OSError) as exc:
                faults.append(exc)
            with suppress(OSError):
                target.flush()


def open_key(settings: Settings, *, make: bool = False) -> BackupKey:
    """Return the key of the settings, else the one in the data folder.

    Args:
        settings: of this installation.
        make: create a key in the data folder where there is none.

    Raises:
        InvalidInputError: there is no key, or it is too short.
        MachineError: it can be neither read nor created.
    """
    if settings.backup_key is not None:
        return BackupKey(settings.backup_key.get_secret_value())
    path = settings.data_folder / KEY_FILE
    try:
        if make and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            make_secret(path, f"{secrets.token_hex(32)}\n")
        secret = path.read_text(encoding="ascii").strip()
    except FileNotFoundError as exc:
        remedy = (
            "Put the key that you kept into this file, or set LUNA_BACKUP_KEY or "
            f"LUNA_BACKUP_KEY_FILE ({SHORTEST_KEY} characters and more)."
        )
        raise InvalidInputError(
            "there is no key for backups", field="LUNA_BACKUP_KEY", value=str(path), remedy=remedy
        ) from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise MachineError(
            f"the key for backups cannot be kept: {exc}",
            field="LUNA_BACKUP_KEY",
            value=str(path),
            remedy="Check who may read it.",
        ) from exc
    if len(secret) < SHORTEST_KEY:
        remedy = f"It has {SHORTEST_KEY} characters and more."
        raise InvalidInputError(
            "this is no key for backups", field="LUNA_BACKUP_KEY", value=str(path), remedy=remedy
        )
    return BackupKey(secret)


def unwritable(path: Path, cause: OSError) -> MachineError:
    """Return the error for a backup file that cannot be written."""
    remedy = (
        "Free some space there, or name a folder on another disk as LUNA_BACKUP_FOLDER. "
        "Backups made before are whole."
    )
    return MachineError(
        f"the backup cannot be written: {cause.strerror or cause}",
        field="backup_folder",
        value=str(path),
        remedy=remedy,
    )


def damaged(path: Path, reason: str) -> MachineError:
    """Return the error for a damaged backup file."""
    remedy = "Take another backup: luna backup list. Nothing was changed."
    return MachineError(
        f"this file of a backup is damaged: {reason}",
        field="backup",
        value=str(path),
        remedy=remedy,
    )


class _Target:
    """A file that counts and digests written bytes, and keeps the ``OSError``.

    pyrage replaces that by its own error.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.bytes = 0
        self.digest = hashlib.sha256()
        self.failure: OSError | None = None

    def write(self, piece: bytes) -> int:
        try:
            self._file.write(piece)
        except OSError as exc:
            self.failure = exc
            raise
        self.digest.update(piece)
        self.bytes += len(piece)
        return len(piece)

    def flush(self) -> None:
        self._file.flush()


def _explain(path: Path, cause: Exception) -> LunaError:
    words = str(cause)
    if isinstance(cause, FileNotFoundError):
        return damaged(path, "it is missing")
    if "No matching keys" in words:
        remedy = (
            "Set LUNA_BACKUP_KEY, or the file that LUNA_BACKUP_KEY_FILE names, to the key that "
            "this backup was made with. Nothing was changed."
        )
        return InvalidInputError(
            "this backup was encrypted with another key",
            field="LUNA_BACKUP_KEY",
            value=str(path),
            remedy=remedy,
        )
    return damaged(path, words or type(cause).__name__)


def _derive(secret: str, purpose: str) -> bytes:
    return hmac.new(secret.encode(), f"luna backup: {purpose}".encode(), "sha256").digest()


def _checksum(values: list[int]) -> int:
    generator = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
    total = 1
    for value in values:
        top = total >> 25
        total = (total & 0x1FFFFFF) << 5 ^ value
        for bit in range(5):
            total ^= generator[bit] if (top >> bit) & 1 else 0
    return total
