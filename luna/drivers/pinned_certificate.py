"""Trust the one certificate that a device made for itself, known by its SHA-256."""

import hashlib
import ssl

from luna.energy.refusals import refuse
from luna.platform.address_policy import DEVICE, open_connection


def trust_device(host: str, port: int, sha256: str, *, patience_s: float) -> ssl.SSLContext:
    """Return a context that trusts the certificate of a device alone.

    Args:
        host: of the device.
        port: of the device.
        sha256: of its certificate, in hexadecimal digits.
        patience_s: for each of its answers.

    Raises:
        UnavailableError: it shows another certificate: whoever answers gets nothing.
        OSError: it does not answer, or speaks no TLS.
    """
    # Nothing is sent with it.
    with (
        open_connection(DEVICE, host, port, patience_s) as connection,
        trust_anybody().wrap_socket(connection) as link,
    ):
        certificate = link.getpeercert(binary_form=True) or b""
    shown = hashlib.sha256(certificate).hexdigest()
    if shown != sha256.lower():
        raise refuse(
            "device-certificate-other", field="via.secret", value=f"{host}:{port}", sha256=shown
        )
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    # It is signed by itself, or by an authority that nobody knows.
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    trusting.load_verify_locations(cadata=certificate)
    return trusting


def trust_anybody() -> ssl.SSLContext:
    """Return a context for what is no secret: it takes any certificate."""
    unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    return unchecked
