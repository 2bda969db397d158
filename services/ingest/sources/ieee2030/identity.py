"""The certificate by which Luna and a utility's server know each other."""

import re
import ssl
from dataclasses import dataclass
from hashlib import sha256
from tempfile import NamedTemporaryFile

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from services.ingest.sources.source import SourceRefusedError

SETTING = "ieee2030_certificate"
_KEY = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.+?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL
)
# Source: IEEE 2030.5-2018, 6.7: a server need not offer any other suite than the first.
_CIPHERS = "ECDHE-ECDSA-AES128-CCM8:ECDHE+AESGCM:ECDHE+CHACHA20:@SECLEVEL=1"
# Source: IEEE 2030.5-2018, 6.3.4: the leftmost 20 bytes of the certificate's SHA-256.
_LFDI_DIGITS = 40


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """Luna as a client of a utility's server.

    Args:
        lfdi: by which the server names it, hexadecimal digits.
        context: shows its certificate, and trusts the utility's authority.
    """

    lfdi: str
    context: ssl.SSLContext


def read_identity(pem: str) -> ClientIdentity:
    """Return the identity of a certificate, its key, and perhaps the authority of the server.

    The authority is a certificate that signed itself. With it the server is trusted whatever its
    name, for certificates of this standard name no host; without it as any site on the web.

    Raises:
        SourceRefusedError: it holds no certificate with its key.
    """
    content = pem.encode()
    try:
        keys = _KEY.findall(content)
        key = load_pem_private_key(keys[0], None) if keys else None
        certificates = x509.load_pem_x509_certificates(content)
    except (ValueError, TypeError) as exc:
        raise _refuse(str(exc)) from exc
    if key is None:
        raise _refuse("no private key")
    wanted = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    own = None
    chain = []
    roots = []
    for certificate in certificates:
        shown = certificate.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        if shown == wanted:
            own = certificate
        elif certificate.issuer == certificate.subject:
            roots.append(certificate)
        else:
            chain.append(certificate)
    if own is None:
        raise _refuse("no certificate belongs to the key")
    context = _trust(roots)
    # The standard library reads a key from files alone.
    with NamedTemporaryFile() as file:
        for certificate in (own, *chain):
            file.write(certificate.public_bytes(Encoding.PEM))
        file.write(keys[0])
        file.flush()
        context.load_cert_chain(file.name)
    fingerprint = sha256(own.public_bytes(Encoding.DER)).hexdigest()
    return ClientIdentity(fingerprint[:_LFDI_DIGITS].upper(), context)


def _trust(roots: list[x509.Certificate]) -> ssl.SSLContext:
    if not roots:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.check_hostname = False
    for root in roots:
        context.load_verify_locations(cadata=root.public_bytes(Encoding.DER))
    return context


def _refuse(reason: str) -> SourceRefusedError:
    return SourceRefusedError(
        f"cannot be read: {reason}",
        field=SETTING,
        remedy="Give it the certificate and its private key as PEM.",
    )
