"""An inverter with a certificate of its own: read with its token, and none other is."""

import hashlib
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from luna.drivers.device_search import find_devices
from luna.drivers.device_secrets import parse_device_secret
from luna.drivers.profiled_device import ProfiledDevice, reach
from luna.drivers.profiles import list_profiles, load_profile
from luna.energy.devices.commands import Via
from luna.energy.errors import UnavailableError

INFO = """<?xml version='1.0' encoding='UTF-8'?>
<envoy_info>
  <time>1764580000</time>
  <device>
    <sn>122130001234</sn>
    <pn>800-00654-r08</pn>
    <software>D8.2.4345</software>
  </device>
</envoy_info>
"""
PRODUCTION = {"wattsNow": 1840, "wattHoursLifetime": 5_250_000}
TOKEN = "eyJraWQiOiI3.of-its-owner"


def certify(folder: Path, name: str) -> tuple[Path, str]:
    """Write a key with the certificate that it signed; return the file, and its SHA-256."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    began_at = datetime.now(UTC) - timedelta(days=1)
    certificate = x509.CertificateBuilder(
        subject,
        subject,
        key.public_key(),
        x509.random_serial_number(),
        began_at,
        began_at + timedelta(days=9),
    ).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / f"{name}.pem"
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    encoded = certificate.public_bytes(serialization.Encoding.DER)
    return file, hashlib.sha256(encoded).hexdigest()


class Gateway(ThreadingHTTPServer):
    """What answers over TLS, and the tokens that it was shown."""

    def __init__(self, certificate: Path) -> None:
        super().__init__(("127.0.0.1", 0), GatewayHandler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.tokens: list[str] = []
        self.info = INFO

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: whoever saw another certificate hangs up."""


class GatewayHandler(BaseHTTPRequestHandler):
    server: Gateway

    def do_GET(self) -> None:
        token = self.headers.get("Authorization", "")
        self.server.tokens.append(token)
        documents = {"/info": self.server.info}
        if token:
            documents["/api/v1/production"] = json.dumps(PRODUCTION)
        body = documents.get(self.path, "").encode()
        self.send_response(200 if body else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@contextmanager
def serving(certificate: Path) -> Iterator[Gateway]:
    with Gateway(certificate) as gateway:
        thread = threading.Thread(target=gateway.serve_forever, args=(0.02,))
        thread.start()
        yield gateway
        gateway.shutdown()
        thread.join()


def reach_gateway(gateway: Gateway, secret: str) -> ProfiledDevice:
    via = Via(profile="enphase_local", host="127.0.0.1", port=gateway.server_address[1])
    profile = load_profile("enphase_local", Path("/nonexistent"))
    return reach(profile, via, secret=parse_device_secret(secret))


def test_a_token_goes_to_the_certificate_that_its_owner_named_alone(tmp_path: Path) -> None:
    own, fingerprint = certify(tmp_path, "envoy")
    other, shown = certify(tmp_path, "somebody")
    with (
        serving(own) as gateway,
        closing(reach_gateway(gateway, f"{fingerprint.upper()}:{TOKEN}")) as device,
    ):
        assert device.read() == {"pv_w": 1840, "pv_kwh": 5250}
        assert set(gateway.tokens) == {f"Bearer {TOKEN}"}
    with (
        serving(other) as gateway,
        closing(reach_gateway(gateway, f"{fingerprint}:{TOKEN}")) as device,
    ):
        with pytest.raises(UnavailableError) as refused:
            device.read()
        assert gateway.tokens == []
    # An owner may compare it with the device's, and enter it.
    assert (refused.value.reason, refused.value.parameters["sha256"]) == (
        "device-certificate-other",
        shown,
    )


@pytest.mark.parametrize(("software", "count"), [("D8.2.4345", 1), ("R4.10.35", 0)])
def test_a_gateway_is_found_by_its_serial_number_and_shown_nothing(
    tmp_path: Path, software: str, count: int
) -> None:
    own, _ = certify(tmp_path, "envoy")
    over_http = [profile for profile in list_profiles() if profile.transport.kind == "http"]
    with serving(own) as gateway:
        gateway.info = INFO.replace("D8.2.4345", software)
        found = list(find_devices(["127.0.0.1"], over_http, port=gateway.server_address[1]))
    assert [one.profile.profile for one in found] == ["enphase_local"] * count
    assert [one.identity.serial for one in found if one.identity] == ["122130001234"] * count
    assert set(gateway.tokens) == {""}
