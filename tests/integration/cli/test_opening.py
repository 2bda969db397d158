"""What a start of Luna shows where there is no terminal: the file that holds the link, and never
the link.
"""

import stat
from pathlib import Path

import pytest

from luna.platform.clock import SystemClock
from luna.platform.embedded.supervisor import Servers
from luna.platform.own_secrets import use_link
from luna.platform.settings import Settings
from services.cli.opening import show_link
from tests.support.gateway.people import empty_gate


def test_without_a_terminal_the_link_is_in_a_file_of_the_owner(
    servers: Servers, redis_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Pydantic-settings reads it.
    settings = Settings(_env_file=None, data_folder=tmp_path)  # type: ignore[call-arg]
    with empty_gate(servers.database_url, redis_url, data_folder=tmp_path) as gate:
        capsys.readouterr()
        show_link(settings, gate.database.url.render_as_string(hide_password=False))
        said = capsys.readouterr()
    kept = tmp_path / "identity" / "link_address"
    assert "code=" not in said.out + said.err
    assert kept.name in said.err
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    code = kept.read_text().strip().partition("code=")[2]
    assert use_link(settings, code, now=SystemClock().now())
    # Once it is used there is nothing left to find.
    assert not kept.exists()
