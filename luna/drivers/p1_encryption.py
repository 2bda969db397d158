"""Decrypt the telegrams of a meter whose P1 port encrypts them, as in Luxembourg.

Source: Luxmetering, P1 port specification (Smarty): general-glo-ciphering of IEC 62056-5-3,
security suite 0 (AES-128-GCM, tags of 12 bytes).
"""

from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

# What is authenticated beside the telegram: authenticated and encrypted, and the port's known key.
_SECURITY = b"\x30"
_KNOWN_KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
# A frame: its mark with the length of the title, the title, the length in two bytes.
_MARK = b"\xdb\x08"
_TITLE = slice(2, 10)
_LONG_LENGTH = 0x82
_HEADER_BYTES = 13
_COUNTER_BYTES = 4
_TAG_BYTES = 12
_LEAST_BYTES = len(_SECURITY) + _COUNTER_BYTES + _TAG_BYTES
_MOST_BYTES = 8_192


class DecryptedFrames(NamedTuple):
    """The telegrams of some frames, and how many more could not be decrypted."""

    content: bytes
    dropped: int


class FrameDecoder:
    """Finds the frames in a stream of bytes and decrypts them with the meter's own key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._rest = b""

    def feed(self, content: bytes) -> DecryptedFrames:
        """Take the next bytes; return what the whole frames among them hold."""
        self._rest += content
        telegrams = b""
        dropped = 0
        while (start := self._rest.find(_MARK)) >= 0:
            frame = self._rest[start:]
            if len(frame) < _HEADER_BYTES:
                break
            size = int.from_bytes(frame[11:_HEADER_BYTES])
            end = _HEADER_BYTES + size
            if frame[10] != _LONG_LENGTH or not _LEAST_BYTES <= size <= _MOST_BYTES:
                self._rest = frame[len(_MARK) :]
                continue
            if len(frame) < end:
                break
            try:
                telegrams += self._decrypt(frame[:end])
                self._rest = frame[end:]
            except InvalidTag:
                dropped += 1
                self._rest = frame[len(_MARK) :]
        # Nothing but the beginning of a frame is worth keeping.
        kept_from = start if start >= 0 else max(len(self._rest) - 1, 0)
        self._rest = self._rest[kept_from:]
        return DecryptedFrames(telegrams, dropped)

    def _decrypt(self, frame: bytes) -> bytes:
        """Return the telegram in a frame.

        Raises:
            InvalidTag: it was encrypted with another key, or garbled.
        """
        counter_from = _HEADER_BYTES + len(_SECURITY)
        text_from = counter_from + _COUNTER_BYTES
        nonce = frame[_TITLE] + frame[counter_from:text_from]
        mode = modes.GCM(nonce, frame[-_TAG_BYTES:], min_tag_length=_TAG_BYTES)
        decryptor = Cipher(algorithms.AES(self._key), mode).decryptor()
        decryptor.authenticate_additional_data(_SECURITY + _KNOWN_KEY)
        return decryptor.update(frame[text_from:-_TAG_BYTES]) + decryptor.finalize()
