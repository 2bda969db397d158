"""A mail server on this machine that takes messages and keeps them as they came."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from threading import Thread


@dataclass
class ReceivedMail:
    """One message: the envelope's recipients, and the bytes of the message."""

    recipients: list[str]
    content: bytes

    @property
    def message(self) -> Message:
        """The message, parsed."""
        return message_from_bytes(self.content, policy=default)


@dataclass
class MailServer:
    """Speaks as much SMTP as a client needs that sends. Source: RFC 5321."""

    listener: socket.socket
    mails: list[ReceivedMail] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.listener.getsockname()[1])

    def run(self) -> None:
        """Serve one client after the other until the listener is closed."""
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with connection, suppress(OSError):
                    self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        connection.sendall(b"220 mail.example\r\n")
        recipients: list[str] = []
        while line := stream.readline():
            verb = line[:4].upper()
            if verb == b"RCPT":
                recipients.append(line.decode().partition(":")[2].strip())
            if verb == b"DATA":
                connection.sendall(b"354 go on\r\n")
                self.mails.append(
                    ReceivedMail(recipients, b"".join(iter(stream.readline, b".\r\n")))
                )
                recipients = []
            connection.sendall(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
            if verb == b"QUIT":
                return


@contextmanager
def serve_mail() -> Iterator[MailServer]:
    """Run a mail server while the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = MailServer(listener)
        thread = Thread(target=server.run)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
