"""Secrets are made by a script and refused before anything starts."""

import subprocess
import sys
from pathlib import Path

import pytest

from luna.platform.settings import Settings
from luna.platform.settings.secrets import SECRETS, find_faults

ROOT = Path(__file__).parents[3]
MAKE = ROOT / "infra/make-secrets"
GOOD = "0123456789abcdef" * 4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of secrets that can be used."""
    for name in SECRETS:
        (tmp_path / name).write_text(GOOD)
    return tmp_path


def make(env: Path) -> None:
    subprocess.run([MAKE, env], check=True, cwd=env.parent, stdout=subprocess.DEVNULL)


def check(folder: Path) -> tuple[int, str]:
    """Return the exit status of the check and what it says, run by a Python that knows nothing of
    Luna, as its container does.
    """
    done = subprocess.run(
        [sys.executable, "-I", "-S", ROOT / "luna/platform/settings/secrets.py", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def test_good_secrets_pass(folder: Path) -> None:
    assert check(folder) == (0, "")


def test_everything_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    status, said = check(tmp_path)
    assert status == 1
    assert "make secrets" in said
    assert all(f"{name} is missing" in said for name in SECRETS)


@pytest.mark.parametrize(
    ("word", "fault"),
    [
        ("", "is empty"),
        ("\n", "is empty"),
        ("short", "has 5 characters"),
        ("changeme", "is a default"),
        ("minioadminminioadmin", "is a default"),
        ("Password123", "is a default"),
    ],
)
def test_a_secret_that_anybody_could_guess_is_refused(folder: Path, word: str, fault: str) -> None:
    (folder / "redis_password").write_text(word)
    [found] = find_faults(folder)
    assert found.startswith(f"redis_password {fault}")


def test_what_is_refused_is_not_shown(folder: Path) -> None:
    (folder / "redis_password").write_text("hunter2")
    status, said = check(folder)
    assert status == 1
    assert "hunter2" not in said


def test_the_script_makes_what_passes_and_writes_the_folder_into_the_environment(
    tmp_path: Path,
) -> None:
    env = tmp_path / ".env"
    env.write_text("LUNA_API_PORT=8080\nLUNA_SECRETS_FOLDER=\n")
    make(env)
    assert find_faults(tmp_path / "secrets") == []
    assert env.read_text() == "LUNA_API_PORT=8080\nLUNA_SECRETS_FOLDER=./secrets\n"
    assert (
        f'api_key: "{(tmp_path / "secrets/vectors_api_key").read_text()}"'
        in (tmp_path / "secrets/vectors_config").read_text()
    )


def test_no_file_is_empty_for_swarm_takes_none_and_what_nobody_gave_out_yet_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = tmp_path / ".env"
    env.write_text("LUNA_SECRETS_FOLDER=\n")
    make(env)
    assert all(path.stat().st_size for path in (tmp_path / "secrets").iterdir())
    monkeypatch.setenv("LUNA_MQTT_PASSWORD_FILE", str(tmp_path / "secrets/mqtt_password"))
    assert Settings(_env_file=None).mqtt_password is None


def test_the_script_keeps_what_is_there_and_uses_the_folder_that_is_named(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    own = tmp_path / "own"
    env.write_text(f"LUNA_SECRETS_FOLDER={own}\n")
    make(env)
    first = {name: (own / name).read_text() for name in SECRETS}
    (own / "redis_password").unlink()
    make(env)
    assert {name for name in SECRETS if (own / name).read_text() != first[name]} == {
        "redis_password"
    }


def test_only_the_owner_reaches_the_files_which_every_container_may_read(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("LUNA_SECRETS_FOLDER=\n")
    make(env)
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()} == {0o444}
