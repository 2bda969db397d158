"""Which proxies are believed: networks at once, names as far as a name server tells, and nobody
waits for one that does not.
"""

import asyncio
import threading
from ipaddress import ip_address

import pytest

from services.api.identity.source import Address, TrustedProxies

CADDY = ip_address("172.18.0.9")
STRANGER = ip_address("203.0.113.5")


def test_a_network_is_believed_without_a_look() -> None:
    proxies = TrustedProxies.parse("172.18.0.0/16")
    assert [asyncio.run(proxies.trust(each)) for each in (CADDY, STRANGER, None)] == [
        True,
        False,
        False,
    ]


def test_a_name_is_believed_where_it_leads() -> None:
    # A busy machine takes longer for a thread than a request waits for a name.
    proxies = TrustedProxies(
        [],
        ["caddy"],
        look_up=lambda names: frozenset([CADDY]) if names == ["caddy"] else frozenset(),
        first_look_seconds=60.0,
    )
    assert [asyncio.run(proxies.trust(each)) for each in (CADDY, STRANGER)] == [True, False]


@pytest.mark.parametrize("name", ["no-such-name.invalid", "x" * 300, "a..b"])
def test_a_name_that_leads_nowhere_is_believed_nothing(name: str) -> None:
    assert not asyncio.run(TrustedProxies.parse(name).trust(CADDY))


def test_requests_do_not_wait_for_a_name_server_that_is_away() -> None:
    answered = threading.Event()
    looks = []

    def look_up(names: list[str]) -> frozenset[Address]:
        looks.append(names)
        answered.wait()
        return frozenset([CADDY])

    async def ask() -> tuple[list[bool], bool]:
        proxies = TrustedProxies([], ["caddy"], look_up=look_up)
        # All of them would hang here for ever.
        while_away = await asyncio.gather(*(proxies.trust(CADDY) for _ in range(50)))
        answered.set()
        return while_away, await proxies.trust(CADDY)

    # One look for all; once the name is known, it is believed.
    assert asyncio.run(ask()) == ([False] * 50, True)
    assert looks == [["caddy"]]


def test_what_was_known_holds_while_it_is_looked_up_again() -> None:
    answers = [frozenset([CADDY])]
    never = threading.Event()

    def look_up(_names: list[str]) -> frozenset[Address]:
        if not answers:
            never.wait()
        return answers.pop()

    async def ask() -> list[bool]:
        proxies = TrustedProxies([], ["caddy"], look_up=look_up, name_cache_seconds=-1.0)
        found = [await proxies.trust(CADDY) for _ in range(3)]
        answers.append(frozenset())
        never.set()
        return found

    assert asyncio.run(ask()) == [True, True, True]
