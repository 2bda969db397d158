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

from luna.drivers.device_secrets import parse_device_secret
from luna.drivers.profiled_device import ProfiledDevice, reach
from luna.drivers.profiles import load_profile
from luna.energy.devices.commands import Via
from luna.energy.errors import UnavailableError

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

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: whoever saw another certificate hangs up."""


class GatewayHandler(BaseHTTPRequestHandler):
    server: Gateway

    def do_GET(self) -> None:
        self.server.tokens.append(self.headers.get("Authorization", ""))
        body = json.dumps({"wattsNow": 1840, "wattHoursLifetime": 5_250_000}).encode()
        self.send_response(200 if self.path == "/api/v1/production" else 404)
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
