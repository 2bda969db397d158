"""A new capability: how long devices are pinned from now on, as a route, as a command, and as a
command over HTTP.
"""

from tests.changes.change import Change, Edit

CAPABILITY = '''

class PinnedTime(Message):
    """How long devices are pinned or forbidden something."""

    hours: Annotated[float, Field(description="of all blocks that hold now or will")]


@capability(
    "GET",
    f"{_PATH}/time",
    noun=_NOUN,
    scope="read",
    command="manual time",
    shown=ReplyTable(("hours",), lambda reply, numbers: [numbers.hours(reply.hours)]),
)
def read_pinned_time(
    call: CapabilityCall,
    site_id: SiteName,
    *,
    device: Annotated[str | None, Field(description="of this device alone")] = None,
) -> PinnedTime:
    """Say how long devices are pinned.

    Blocks that have expired do not count.
    """
    blocks = manual_blocks.read_standing(call.connection, site_id, first=call.now)
    return PinnedTime(
        hours=sum(
            (block.to - block.from_).total_seconds()
            for block in blocks
            if device in (None, block.device)
        )
        / 3600
    )
'''

PROOF = r'''
import io
import json
import os
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

from luna.platform.embedded.supervisor import running
from luna.platform.settings import load_settings
from services.cli.main import run
from tests.support.gateway.server import OWNER_TOKEN, serve

# As root the servers run under another account, which must be able to enter.
folder = Path(tempfile.mkdtemp(prefix="luna-capability-"))
folder.chmod(0o711)
os.environ["LUNA_DATA_FOLDER"] = str(folder / "data")


def luna(*arguments):
    with redirect_stdout(io.StringIO()) as said:
        assert run([*arguments, "--json"]) == 0
    return json.loads(said.getvalue())


(folder / "site.yaml").write_text("""
name: home
timezone: Europe/Berlin
batteries: [{capacity_kwh: 10, charge_limit_kw: 5, discharge_limit_kw: 5}]
""")
with running(load_settings()) as addresses:
    luna("site", "add", "--file", str(folder / "site.yaml"))
    times = ("--from", "2099-07-01T04:00", "--until", "2099-07-01T06:30")
    luna("manual", "add", "--site", "home", "--device", "battery", "--action", "hold", *times)
    asked = ("manual", "time", "--site", "home")
    assert luna(*asked) == {"hours": 2.5}
    assert luna(*asked, "--device", "grid") == {"hours": 0.0}
    with serve(addresses) as client:
        assert client.get("/v1/sites/home/manual-blocks/time").json() == {"hours": 2.5}
        paths = client.get("/openapi.json").json()["paths"]
        route = paths["/v1/sites/{site_id}/manual-blocks/time"]["get"]
        assert route["summary"] == "Say how long devices are pinned"
        assert route["parameters"][1]["description"] == "of this device alone"
        os.environ["LUNA_DATA_FOLDER"] = str(folder / "another machine")
        server = ("--server", str(client.base_url), "--key", OWNER_TOKEN)
        assert luna(*server, *asked) == {"hours": 2.5}
'''

CHANGE = Change(
    "capability",
    (
        Edit(
            "luna/house/capabilities/manual.py",
            CAPABILITY,
            after="return manual_blocks.remove(call.connection, site_id, block_id, by=call.by)",
        ),
        Edit(
            "luna/house/capabilities/manual.py",
            "    read_pinned_time,\n",
            after="remove_manual_block,",
            lists=True,
        ),
    ),
    PROOF,
)
