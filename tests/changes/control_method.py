"""A new way of telling batteries: over the HTTP interface of one maker, asked at set-up and carried
out by the executor.
"""

from tests.changes.change import Change, Edit

DRIVER = '''"""Tells a battery of Hearth's what to do over HTTP: a value for each place."""

from collections.abc import Sequence
from datetime import timedelta

import httpx

from luna.energy.site.control import Control
from luna.contracts.device_template import Write
from luna.platform.settings import Settings
from luna.drivers.control.device import DeviceError


class HearthDevice:
    """One battery in the house."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=5)

    def apply(self, writes: Sequence[Write]) -> None:
        for write in writes:
            if not self._client.put(f"/{write.to}", content=write.value).is_success:
                raise DeviceError("Hearth refuses", field=write.to)

    def read(self, places: Sequence[str], *, within: timedelta | None = None) -> dict[str, str]:
        return {place: self._client.get(f"/{place}").text for place in places}

    def close(self) -> None:
        self._client.close()


def open_device(settings: Settings, control: Control) -> HearthDevice:
    return HearthDevice(str(settings.home_assistant_url))
'''
METHOD = """        ControlMethod(
            "hearth",
            asks=(Entry("soc_place", "text"), Entry("mode_place", "text"), *_WORDS),
            proposes_unasked=True,
            propose=lambda _name, _lookup: {
                "soc_place": "soc",
                "mode_place": "mode",
                "word_self_consumption": "0",
                "word_hold": "1",
                "word_charge": "2",
            },
        ),
"""
WORDS = {
    "en": """by_hearth = Hearth
by_hearth_lead = Luna tells the battery at its own address.
ask_hearth = Show what would be sent
asks_hearth = As the manual has it.
""",
    "de": """by_hearth = Hearth
by_hearth_lead = Luna spricht die Batterie unter ihrer eigenen Adresse an.
ask_hearth = Zeigen, was gesendet würde
asks_hearth = Wie in der Anleitung.
""",
}
PROOF = """
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from luna.energy.site.control import Control
from luna.contracts.device_template import matches, render
from luna.contracts.battery_setpoints import OWN
from luna.platform.settings import Settings
from services.api.pages.setup.control_methods import METHODS, answer_control
from luna.words.pages import page_words
from luna.drivers.write_limits import uncounted
from luna.drivers.control.opening import open_device

assert [page_words("setup", language)("asks_hearth") for language in ("en", "de")] == [
    "As the manual has it.",
    "Wie in der Anleitung.",
]
said = {}


class Battery(BaseHTTPRequestHandler):
    def do_PUT(self):
        said[self.path] = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(said[self.path])

    def log_message(self, *words):
        pass


server = HTTPServer(("127.0.0.1", 0), Battery)
threading.Thread(target=server.serve_forever, daemon=True).start()
method = METHODS["hearth"]
section, faults = method.describe(["battery"], {"battery": method.propose("battery", None)})
assert faults == [], faults
control = Control.model_validate(section)
assert answer_control(control)["hearth"]["battery"]["mode_place"] == "mode"
settings = Settings(_env_file=None, home_assistant_url=f"http://127.0.0.1:{server.server_port}")
device, writes = open_device(settings, control, uncounted), render(control, {"battery": OWN})
device.apply(writes)
assert said == {"/mode": b"0"}
assert matches(writes, device.read(["mode"]))
server.shutdown()
"""

CHANGE = Change(
    "control method",
    (
        Edit("luna/drivers/control/hearth.py", DRIVER),
        Edit(
            "luna/drivers/control/opening.py",
            "from luna.drivers.control import hearth\n",
            after="from luna.platform.settings.stored import refresh_settings",
            lists=True,
        ),
        Edit(
            "luna/drivers/control/opening.py",
            '    "hearth": hearth.open_device,\n',
            after="CONNECTIONS: Mapping[ControlledBy, Callable[[Settings, Control], Device]] = {",
            lists=True,
        ),
        Edit(
            "luna/energy/site/control.py",
            'ControlledBy = Literal["advice", "dry_run", "home_assistant", "mqtt", '
            '"profile", "hearth"]\n',
            after=(
                'ControlledBy = Literal["advice", "dry_run", "home_assistant", "mqtt", "profile"]'
            ),
            instead=True,
        ),
        Edit("services/api/pages/setup/control_methods.py", METHOD, after="for method in ("),
        *(
            Edit(f"luna/words/catalogue/{language}/setup.ftl", words, after="by_mqtt = MQTT")
            for language, words in WORDS.items()
        ),
    ),
    PROOF,
)
