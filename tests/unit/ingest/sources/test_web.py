"""How outside services are asked, and what becomes of their faults."""

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import BaseModel

from luna.platform.address_policy import OWN_SERVER
from luna.platform.clock import FixedClock
from services.ingest.sources.source import SourceError, SourceRefusedError, SourceUnreachedError
from services.ingest.sources.web import RETRY, Web
from tests.support.gateway.outside_service import Reply, Service, document
from tests.support.suite.tables import each_row

URL = "https://service.test/prices"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Said(BaseModel):
    price: float


def ask(service: Service, *, interval: timedelta = timedelta(0)) -> Said:
    web = Web("service", service, interval, service.wait, FixedClock(NOW))
    return web.get(URL, {"day": "2026-11-20"}).parse(Said)


GOOD = document({"price": 0.25})


def test_asks_with_its_parameters_and_reads_the_answer() -> None:
    service = Service(GOOD)
    assert ask(service).price == 0.25
    assert str(service.asked[0].url) == f"{URL}?day=2026-11-20"


def test_a_form_is_sent_as_one_and_again_where_the_service_was_busy() -> None:
    service = Service(httpx.Response(503), GOOD)
    web = Web("service", service, sleep=service.wait)
    answer = web.post_form(URL, {"grant_type": "all & more"}, headers={"x-key": "key"})
    assert answer.parse(Said).price == 0.25
    first, again = service.asked
    assert first.headers["content-type"] == "application/x-www-form-urlencoded"
    assert first.headers["x-key"] == "key"
    assert first.content == again.content == b"grant_type=all+%26+more"


@each_row(
    "fault",
    [
        httpx.Response(500),
        httpx.Response(503, text="<html>maintenance</html>"),
        httpx.Response(429),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
    ],
    ids=["500", "503 in HTML", "429", "too slow", "broken off"],
)
def test_what_passes_is_asked_again_with_growing_pauses(fault: Reply) -> None:
    service = Service(fault, fault, GOOD)
    assert ask(service).price == 0.25
    assert [pause for pause in service.pauses if pause] == [1.0, 2.0]


def test_what_does_not_pass_is_given_up_after_three_times() -> None:
    service = Service(httpx.Response(500))
    with pytest.raises(SourceError, match="answered 500 3 times"):
        ask(service)
    assert len(service.asked) == RETRY.tries


@pytest.mark.parametrize("said", ["7", "Fri, 20 Nov 2026 12:00:07 GMT"], ids=["seconds", "date"])
def test_a_service_is_left_alone_for_as_long_as_it_says(said: str) -> None:
    service = Service(httpx.Response(429, headers={"Retry-After": said}), GOOD)
    ask(service)
    assert service.pauses[0] == 7.0


def test_a_service_that_wants_to_be_left_alone_for_longer_is_not_waited_for() -> None:
    service = Service(httpx.Response(429, headers={"Retry-After": "600"}))
    with pytest.raises(SourceError, match="600 s"):
        ask(service)
    assert len(service.asked) == 1


def test_nobody_there_is_found_out_at_once() -> None:
    service = Service(httpx.ConnectError("no route to host"))
    with pytest.raises(SourceError, match="no route to host"):
        ask(service)
    assert len(service.asked) == 1
    assert service.pauses == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_token_is_refused_and_not_tried_again(status: int) -> None:
    service = Service(httpx.Response(status))
    with pytest.raises(SourceRefusedError, match="token"):
        ask(service)
    assert len(service.asked) == 1


def test_a_refusal_is_told_in_the_services_words() -> None:
    with pytest.raises(SourceRefusedError, match="no such zone"):
        ask(Service(httpx.Response(400, text='{"detail": "no such zone"}')))


def test_another_address_is_not_followed() -> None:
    with pytest.raises(SourceError, match="302"):
        ask(Service(httpx.Response(302, headers={"Location": "http://elsewhere.test"})))


@each_row("content", ["<html>maintenance</html>", '{"price": 0.2', '{"price": "cheap"}', "{}", ""])
def test_what_is_not_the_answer_agreed_on_is_an_error_of_the_source(content: str) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        ask(Service(httpx.Response(200, text=content)))


def test_compressed_answers_are_read_and_broken_compression_is_an_error_of_the_source() -> None:
    packed = gzip.compress(b'{"price": 0.25}')
    assert (
        ask(
            Service(
                lambda _: httpx.Response(200, headers={"content-encoding": "gzip"}, content=packed)
            )
        ).price
        == 0.25
    )
    with pytest.raises(SourceError):
        ask(
            Service(
                lambda _: httpx.Response(
                    200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip")
                )
            )
        )


def test_requests_keep_the_distance_that_a_service_asks_for() -> None:
    service = Service(GOOD)
    web = Web("service", service, timedelta(seconds=0.5), service.wait)
    for _ in range(3):
        web.get(URL, {})
    assert service.pauses == [0.5, 0.5]


@contextmanager
def serving(*answers: bytes, port: int = 0) -> Iterator[int]:
    """Yield the port of a server that gives each connection one of the answers, word for word, and
    hangs up.
    """
    with socket.create_server(("127.0.0.1", port)) as listener:

        def serve() -> None:
            for answer in answers:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65_536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join(timeout=10)


def test_half_a_body_is_asked_for_again() -> None:
    half = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"price":'
    whole = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"price": 0.25}'
    with serving(half, b"", whole) as port:
        web = Web("service", sleep=lambda _: None, purpose=OWN_SERVER)
        assert web.get(f"http://127.0.0.1:{port}", {}).parse(Said).price == 0.25


def test_an_answer_that_trickles_holds_nobody() -> None:
    trickle = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"
    with serving(trickle) as port:
        web = Web("service", purpose=OWN_SERVER, longest=timedelta(0))
        with pytest.raises(SourceError, match="takes longer than 0\u00a0s"):
            web.get(f"http://127.0.0.1:{port}", {})


def test_a_server_that_is_down_is_not_reached_and_the_run_after_it_came_back_is_answered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    url = f"http://127.0.0.1:{port}"
    away = Web("service", purpose=OWN_SERVER)
    with pytest.raises(SourceUnreachedError, match="not reached"):
        away.get(url, {})
    with serving(b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"price": 0.25}', port=port):
        # Of a hundred sites in one run the others would each have waited as long as the first.
        with pytest.raises(SourceUnreachedError, match="not reached"):
            away.get(url, {})
        assert Web("service", purpose=OWN_SERVER).get(url, {}).parse(Said).price == 0.25


@each_row(
    "fault",
    [
        httpx.Response(500),
        httpx.Response(429),
        httpx.Response(429, headers={"retry-after": "3600"}),
        httpx.ReadTimeout("slow"),
    ],
)
def test_who_answers_too_late_or_too_busy_was_reached(fault: Reply) -> None:
    with pytest.raises(SourceError) as caught:
        ask(Service(fault))
    assert not isinstance(caught.value, SourceUnreachedError)


def test_the_number_of_an_operating_systems_error_is_left_out() -> None:
    def refuse_connection(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[Errno -2] Name or service not known")

    with pytest.raises(SourceUnreachedError) as unreached:
        Web("service", httpx.MockTransport(refuse_connection)).get("http://service", {})
    assert "Errno" not in str(unreached.value)
    assert "Name or service not known" in str(unreached.value)
