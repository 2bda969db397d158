"""Names of sites and devices may hold anything.

A local mail server and a web server receive one message with the headers that were meant.
"""

from collections.abc import Iterator

import pytest

from luna.energy.errors import InvalidInputError
from luna.platform.settings import Settings
from services.notifier.targets import LONGEST_TEXT, LONGEST_TITLE, open_targets
from tests.support.notifications.server import MessageServer, serve_messages
from tests.support.notifications.smtp import MailServer, serve_mail
from tests.support.suite.tables import each_row

INJECTED = "home\r\nBcc: thief@evil.example\r\nX-Evil: yes\r\n\r\nhello"
TITLES = [
    pytest.param("Battery", id="plain"),
    pytest.param(INJECTED, id="headers"),
    pytest.param("home\nBcc: thief@evil.example", id="line feed alone"),
    pytest.param("home\rBcc: thief@evil.example", id="carriage return alone"),
    pytest.param("home\x0b\x0c\x1c\x85\u2028Bcc: thief@evil.example", id="other line ends"),
    pytest.param("=?utf-8?q?home=0D=0ABcc:_thief@evil.example?=", id="an encoded word"),
    pytest.param("a\x00b\ud800c", id="NUL and half a character"),
    pytest.param("Öl, 電池 und 🔋 " * 4, id="not ASCII"),
    pytest.param("x" * 20_000, id="very long"),
    pytest.param("Bcc: thief@evil.example", id="looks like a header"),
    pytest.param("", id="empty"),
]
TEXTS = [
    pytest.param(
        "hello\r\n.\r\nMAIL FROM:<thief@evil.example>\r\nRCPT TO:<thief@evil.example>\r\n"
        "DATA\r\nx\r\n.\r\n",
        id="an end of data",
    ),
    pytest.param("hello\n.\nQUIT\n", id="a point alone"),
    pytest.param("\x00\x1b[31m\ud800" + "y" * 50_000, id="controls, very long"),
    pytest.param("Grüße, 電池", id="not ASCII"),
]


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with serve_mail() as server:
        yield server


@pytest.fixture(scope="module")
def web() -> Iterator[MessageServer]:
    with serve_messages() as server:
        yield server


def send_mail(mail: MailServer, title: str, text: str) -> None:
    mail.mails.clear()
    address = (
        f"mailto://127.0.0.1:{mail.port}/?from=luna@home.example&to=owner@home.example&"
        "mode=insecure"
    )
    (target,) = open_targets(Settings(notify_urls=address))
    target.channel.send(title, text)


@each_row("title", TITLES)
def test_a_mail_has_the_headers_that_were_meant(mail: MailServer, title: str) -> None:
    send_mail(mail, title, "hello")
    (received,) = mail.mails
    assert received.recipients == ["<owner@home.example>"]
    message = received.message
    assert not {"bcc", "cc", "x-evil"} & {name.lower() for name in message}
    assert [message.get_all(name) for name in ("To", "Bcc")] == [["owner@home.example"], None]
    assert len(message.get_all("Subject", [])) <= 1
    assert max(map(len, received.content.split(b"\r\n"))) < 998
    assert len(str(message["Subject"] or "")) <= LONGEST_TITLE


@each_row("text", TEXTS)
def test_a_mail_ends_where_it_was_meant_to(mail: MailServer, text: str) -> None:
    send_mail(mail, "Battery", text)
    (received,) = mail.mails
    assert received.recipients == ["<owner@home.example>"]


@each_row("title", TITLES)
def test_a_web_hook_gets_one_request_with_the_headers_that_were_meant(
    web: MessageServer, title: str
) -> None:
    before = len(web.taken)
    (target,) = open_targets(
        Settings(notify_urls=f"json://127.0.0.1:{web.port}/hook?+X-House=blue")
    )
    target.channel.send(title, "hello\r\nworld" + "z" * 50_000)
    ((path, document),) = web.taken[before:]
    headers = [name.lower() for name, _ in web.headers[-1]]
    assert (path, headers.count("x-house"), headers.count("host"), "x-evil" in headers) == (
        "/hook",
        1,
        1,
        False,
    )
    assert "\n" not in document["title"]
    assert len(document["title"]) <= LONGEST_TITLE
    assert len(document["message"]) <= LONGEST_TEXT


@each_row(
    "address",
    [
        (
            "mailto://127.0.0.1/?from=luna@home.example&"
            "to=owner@home.example%0d%0aBcc:thief@evil.example"
        ),
        "mailto://127.0.0.1/?from=luna@home.example&name=Luna%0aBcc:thief@evil.example",
        (
            "mailto://127.0.0.1/?from=luna@home.example&"
            "to=owner@home.example%250d%250aBcc:thief@evil.example"
        ),
        "json://127.0.0.1/hook?+X-House=blue%0d%0aX-Evil:yes",
        "json://127.0.0.1/a%0d%0aHost:evil.example",
        "json://127.0.0.1/a%00b",
        "json://169.254.169.254/latest",
        "json://0xa9fea9fe/latest",
        "mailto://[fe80::1]/?from=luna@home.example&to=owner@home.example",
    ],
)
def test_a_target_that_says_more_than_an_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        open_targets(Settings(notify_urls=address))
    assert refused.value.field == "notify_urls"
