"""Makes the peers' environment: ``python -m bench.peers.install``."""

import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".venv-peers"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
LOCK = Path(__file__).with_name("requirements.txt")
STAMP = ENVIRONMENT / ".installed"


def main() -> None:
    """Install the locked peers; nothing happens where the lock is installed already."""
    if is_installed():
        print(f"The peers are installed in {ENVIRONMENT}.")
        return
    print(f"Installing the peers into {ENVIRONMENT} …")
    venv.create(ENVIRONMENT, with_pip=True, clear=True)
    installer = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(PYTHON)]
    plain = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # The lock names all that is needed, and leaves PyTorch out, which others want: see
    # overrides.txt.
    subprocess.run(
        [
            *(installer if find_spec("uv") else plain),
            "--no-deps",
            "--require-hashes",
            "-r",
            str(LOCK),
        ],
        check=True,
    )
    STAMP.write_bytes(LOCK.read_bytes())


def is_installed() -> bool:
    """Return whether the environment holds exactly what the lock names."""
    return STAMP.exists() and STAMP.read_bytes() == LOCK.read_bytes()


if __name__ == "__main__":
    main()
