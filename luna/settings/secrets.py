"""``python -m luna.settings.secrets FOLDER``: refuses secrets that are missing, empty, short or known to everybody, and names each.

Run before the containers start: the servers of others take any password.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from luna.errors import MachineError
from luna.settings.model import GIVEN_OUT, Settings

SECRETS = (
    "database_admin_password",
    "database_password",
    "redis_password",
    "objects_secret_key",
    "vectors_api_key",
    "grafana_password",
    "admin_password",
    "token_key",
    "monitor_token",
    "backup_key",
)
# Given out by other servers: empty until their owner fills them in, so nobody asks how good they are.
GIVEN = tuple(name for name, field in Settings.model_fields.items() if GIVEN_OUT in field.metadata)
SHORTEST = 16
# Defaults of the servers in use and of files people copy from; longer than SHORTEST they would pass otherwise.
DEFAULTS = ("admin", "changeme", "change-me", "changethis", "default", "example", "luna", "minioadmin", "password", "postgres", "secret")


def check_secrets(folder: Path, names: tuple[str, ...] = SECRETS) -> None:
    """Return if every secret can be used.

    Raises:
        MachineError: names all that cannot, and why.
    """
    faults = [f"{name} {fault}" for name in names for fault in _faults(folder / name)]
    if faults:
        remedy = "Run make secrets; it makes what is missing and leaves the rest. Delete a file first to have it made anew."
        count = f"{len(faults)} secret{'s' if len(faults) > 1 else ''}"
        raise MachineError(f"{count} cannot be used: {'; '.join(faults)}", field="secrets", value=str(folder), remedy=remedy)


def _faults(path: Path) -> Iterator[str]:
    try:
        word = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        yield "is missing"
        return
    except (OSError, UnicodeDecodeError) as exc:
        yield f"cannot be read ({exc.strerror if isinstance(exc, OSError) else 'no UTF-8 text'})"
        return
    if not word:
        yield "is empty"
    elif _repeats_default(word):
        yield "is a default that everybody knows"
    elif len(word) < SHORTEST:
        yield f"has {len(word)} characters, fewer than {SHORTEST}"


def _repeats_default(word: str) -> bool:
    plain = word.lower().rstrip("0123456789!.")
    return any(plain.replace(default, "") == "" for default in DEFAULTS)


def main() -> int:
    """Check the folder named on the command line."""
    try:
        check_secrets(Path(sys.argv[1]))
    except MachineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
