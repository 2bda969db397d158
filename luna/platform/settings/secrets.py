"""``python luna/platform/settings/secrets.py FOLDER``: refuses weak secrets by name.

Weak are those that are missing, empty, short or known to everybody.

Run before the containers start: the servers of others take any password. It needs Python alone, so
that its container is no image of Luna's: Compose makes everything anew that depends on a container
which an update makes anew, and on this one the database depends.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

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
SHORTEST = 16
# Defaults of the servers in use and of files people copy from; longer than SHORTEST they would pass
# otherwise.
DEFAULTS = (
    "admin",
    "changeme",
    "change-me",
    "changethis",
    "default",
    "example",
    "luna",
    "minioadmin",
    "password",
    "postgres",
    "secret",
)


def find_faults(folder: Path, names: tuple[str, ...] = SECRETS) -> list[str]:
    """Return of every secret that cannot be used its name and why.

    Never what it is.
    """
    return [f"{name} {fault}" for name in names for fault in _faults(folder / name)]


def _faults(path: Path) -> Iterator[str]:
    try:
        word = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        yield "is missing"
        return
    except (OSError, UnicodeDecodeError) as exc:
        yield f"cannot be read ({exc.strerror if isinstance(exc, OSError) else 'no UTF-8 text'})"
        return
    plain = word.lower().rstrip("0123456789!.")
    if not word:
        yield "is empty"
    elif any(plain.replace(default, "") == "" for default in DEFAULTS):
        yield "is a default that everybody knows"
    elif len(word) < SHORTEST:
        yield f"has {len(word)} characters, fewer than {SHORTEST}"


def main() -> int:
    """Check the folder named on the command line, and return the exit status."""
    faults = find_faults(Path(sys.argv[1]))
    if faults:
        remedy = (
            "Run make secrets; it makes what is missing and leaves the rest. Delete a file "
            "first to have it made anew."
        )
        sys.stderr.write(f"secrets: {len(faults)} cannot be used: {'; '.join(faults)}. {remedy}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
