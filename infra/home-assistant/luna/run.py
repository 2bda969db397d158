"""Start Luna as an app of Home Assistant.

Options become settings, the Supervisor is asked for its knowledge, root is given away.

Source: Home Assistant developer documentation, "App communication": SUPERVISOR_TOKEN,
http://supervisor/core/api, services; "App configuration": /data/options.json.
"""

import json
import os
import pwd
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DATA = Path("/data")
SUPERVISOR = "http://supervisor"
PORT = "8099"
# By option, what it is called among Luna's settings.
NAMES = {
    "publish": "LUNA_MQTT_PUBLISH",
    "language": "LUNA_MESSAGE_LANGUAGE",
    "quiet_hours": "LUNA_NOTIFY_QUIET_HOURS",
    "admin_password": "LUNA_ADMIN_PASSWORD",
    "mqtt_url": "LUNA_MQTT_URL",
    "mqtt_password": "LUNA_MQTT_PASSWORD",
    "entsoe_token": "LUNA_ENTSOE_TOKEN",
    "tibber_token": "LUNA_TIBBER_TOKEN",
    "esios_token": "LUNA_ESIOS_TOKEN",
    "ostrom_token": "LUNA_OSTROM_TOKEN",
    "octopus_token": "LUNA_OCTOPUS_TOKEN",
    "solcast_token": "LUNA_SOLCAST_TOKEN",
    "amber_token": "LUNA_AMBER_TOKEN",
    "electricity_maps_token": "LUNA_ELECTRICITY_MAPS_TOKEN",
}
# The gateway stands behind ingress, which alone may speak to it, in a frame of Home Assistant's own
# pages.
FIXED = {
    "LUNA_API_HOST": "0.0.0.0",  # noqa: S104 - of a container, to which ingress alone is let in
    "LUNA_API_PORT": PORT,
    "LUNA_API_INGRESS": "true",
    "LUNA_TRUSTED_PROXIES": "172.30.32.2",
    "LUNA_FRAME_ANCESTORS": "self",
}
ACCOUNT = "luna"


def name_settings(
    options: Mapping[str, Any], token: str | None, mqtt: Mapping[str, Any] | None
) -> dict[str, str]:
    """Return Luna's settings for the app's options.

    A broker of the Supervisor's serves where the options name none.

    Args:
        options: as ``/data/options.json`` holds them.
        token: the Supervisor's, None outside Home Assistant.
        mqtt: what the Supervisor says of its broker: host, port, ssl, username, password; None:
            there is none.
    """
    named = {
        NAMES[name]: str(value)
        for name, value in options.items()
        if name in NAMES and value not in (None, "")
    }
    settings = FIXED | named
    settings["LUNA_LOG_LEVEL"] = str(options.get("log_level", "info")).upper()
    settings["LUNA_OUTSIDE_SERVICES"] = str(options.get("outside_services", True)).lower()
    if lines := [line for line in options.get("notify", []) if line]:
        settings["LUNA_NOTIFY_URLS"] = "\n".join(lines)
    if token:
        settings |= {
            "LUNA_HOME_ASSISTANT_URL": f"{SUPERVISOR}/core",
            "LUNA_HOME_ASSISTANT_TOKEN": token,
        }
    if mqtt and "LUNA_MQTT_URL" not in settings:
        user = f"{mqtt['username']}@" if mqtt.get("username") else ""
        settings["LUNA_MQTT_URL"] = (
            f"mqtt{'s' if mqtt.get('ssl') else ''}://{user}{mqtt['host']}:{mqtt['port']}"
        )
        settings["LUNA_MQTT_PASSWORD"] = str(mqtt.get("password") or "")
    return settings


def ask_broker(token: str | None, supervisor: str = SUPERVISOR) -> dict[str, Any] | None:
    """Return what the Supervisor says of its broker, None where it has none or does not answer."""
    if not token:
        return None
    request = urllib.request.Request(
        f"{supervisor}/services/mqtt", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            document = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError) as error:
        print(f"No MQTT broker of Home Assistant's: {error}", file=sys.stderr)
        return None
    data = document.get("data") if isinstance(document, dict) else None
    return data if isinstance(data, dict) and data.get("host") else None


def give_root_away(folder: Path) -> None:
    """Make a folder the account's own and become that account; nothing where this is not root."""
    if os.getuid() != 0:
        return
    account = pwd.getpwnam(ACCOUNT)
    # The account walks through, and reads no options.
    folder.parent.chmod(0o711)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def main() -> None:
    """Become ``luna up``."""
    token = os.environ.pop("SUPERVISOR_TOKEN", None)
    options = DATA / "options.json"
    chosen = json.loads(options.read_text(encoding="utf-8")) if options.exists() else {}
    settings = name_settings(chosen, token, ask_broker(token))
    folder = DATA / "luna"
    folder.mkdir(exist_ok=True)
    give_root_away(folder)
    os.chdir(folder)
    os.execvpe("luna", ["luna", "up"], os.environ | settings | {"LUNA_DATA_FOLDER": str(folder)})


if __name__ == "__main__":
    main()
