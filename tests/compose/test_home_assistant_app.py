"""Luna as an app of Home Assistant: one container, built from the folder that owners install, with
its data in /data.
"""

import json
from collections.abc import Iterator

import pytest

from tests.compose.stack import APP_IMAGE, RESULTS, run, wait_for

NAME = "luna-app-test"
VOLUME = "luna-app-test-data"
INGRESS = "/api/hassio_ingress/token"
ASK = """
import sys, urllib.error, urllib.request
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None
try:
    url = "http://127.0.0.1:8099" + sys.argv[1]
    request = urllib.request.Request(url, headers={"X-Ingress-Path": sys.argv[2]})
    answer = urllib.request.build_opener(Stay).open(request)
except urllib.error.HTTPError as error:
    answer = error
said = answer.headers.get("Location", "") + answer.read().decode()
print(answer.status, f"{sys.argv[2]}/" in said, '="/' in said.replace(f'="{sys.argv[2]}/', ""))
"""


def ask(path: str) -> list[str]:
    """Return the status of what is asked inside the container, as ingress asks.

    Whether something links behind its path, and whether something does not.
    """
    return run("docker", "exec", NAME, "python", "-c", ASK, path, INGRESS, check=False).split()


def is_ready() -> bool:
    return ask("/health/ready")[:1] == ["200"]


@pytest.fixture(scope="module")
def app() -> Iterator[str]:
    """The app, ready."""
    run("docker", "volume", "create", VOLUME)
    options = json.dumps(
        {"publish": "off", "language": "de", "admin_password": "a long first password"}
    )
    write = (
        "import pathlib; path = pathlib.Path('/data/options.json'); "
        f"path.write_text({options!r}); path.chmod(0o600)"
    )
    run(
        "docker",
        "run",
        "--rm",
        "--volume",
        f"{VOLUME}:/data",
        "--entrypoint",
        "python",
        APP_IMAGE,
        "-c",
        write,
    )
    run("docker", "run", "--detach", "--name", NAME, "--volume", f"{VOLUME}:/data", APP_IMAGE)
    try:
        wait_for(is_ready, seconds=420, what="the app is ready")
        yield NAME
    finally:
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{NAME}.txt").write_text(
            run("docker", "logs", NAME, check=False), encoding="utf-8"
        )
        run("docker", "rm", "--force", NAME, check=False)
        run("docker", "volume", "rm", "--force", VOLUME, check=False)


def test_nothing_of_it_runs_as_root_but_the_first_process(app: str) -> None:
    users = run("docker", "top", app, "-o", "pid,uid,args").splitlines()[1:]
    assert {line.split()[1] for line in users if "tini" not in line} == {"10001"}


def test_its_first_page_is_found_behind_the_path_of_ingress(app: str) -> None:
    status, linked, lost = ask("/")
    assert (status.startswith("5"), linked, lost) == (False, "True", "False")


def test_nobody_but_ingress_is_answered(app: str) -> None:
    address = run("docker", "inspect", app, "--format", "{{.NetworkSettings.IPAddress}}").strip()
    said = run(
        "python3", "-c", ASK.replace("127.0.0.1", address), "/health/live", INGRESS, check=False
    )
    assert said.split()[:1] == ["403"]


def test_its_data_are_there_again_after_it_was_made_anew(app: str) -> None:
    before = run("docker", "exec", app, "sh", "-c", "ls /data/luna/servers")
    run("docker", "stop", "--time", "60", app)
    # It ended of itself: 137 would say that it was killed when its time was over.
    assert run("docker", "inspect", app, "--format", "{{.State.ExitCode}}").strip() in {"0", "143"}
    run("docker", "rm", app)
    run("docker", "run", "--detach", "--name", NAME, "--volume", f"{VOLUME}:/data", APP_IMAGE)
    wait_for(is_ready, seconds=420, what="the app is ready again")
    assert run("docker", "exec", app, "sh", "-c", "ls /data/luna/servers") == before
