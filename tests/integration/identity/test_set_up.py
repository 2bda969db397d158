"""Before anybody is set up, behind proxies, and when somebody asks too often."""

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from luna.platform.clock import SystemClock
from luna.platform.database import users
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses, Servers
from luna.platform.own_secrets import LINK_LIFE, make_link, open_owner_token
from luna.platform.settings import Settings
from services.api.identity.identity import OWNER_COOKIE, browser_cookie_of
from tests.support.gateway.people import (
    GENEROUS,
    NAMES,
    PASSWORD,
    Gate,
    empty_gate,
    gate_with_people,
)
from tests.support.gateway.server import OWNER, OWNER_TOKEN, serve
from tests.support.suite.tables import each_row

FIRST = {"name": "ada", "password": PASSWORD}
LISTED = "/v1/keys"


@pytest.fixture
def empty(servers: Servers, redis_url: str) -> Iterator[Gate]:
    with empty_gate(servers.database_url, redis_url) as gate:
        yield gate


@pytest.fixture(scope="module")
def untouched(servers: Servers, redis_url: str) -> Iterator[Gate]:
    """A gateway in which nobody is ever set up."""
    with empty_gate(servers.database_url, redis_url) as gate:
        yield gate


def test_until_somebody_is_set_up_the_owners_token_does_everything_and_then_nothing(
    empty: Gate,
) -> None:
    before = empty.client.get("/v1/auth/me", headers=OWNER).json()
    assert (before["means"], before["role"], before["sites"]) == ("local", "admin", None)
    made = empty.client.post("/v1/auth/setup", json=FIRST, headers=OWNER)
    assert (made.status_code, made.json()["role"]) == (201, "admin")
    assert [
        empty.client.get("/v1/auth/me", headers=OWNER).status_code,
        empty.client.post("/v1/auth/setup", json=FIRST, headers=OWNER).status_code,
    ] == [
        401,
        409,
    ]
    assert empty.client.post("/v1/auth/login", json=FIRST).json()["name"] == "ada"
    assert [row.user_name for row in empty.audit("set_up")] == ["ada", "ada"]


def test_a_link_opens_a_browser_once_and_says_so_when_it_is_stale(
    servers: Servers, redis_url: str, tmp_path: Path
) -> None:
    clock = SystemClock()
    with empty_gate(servers.database_url, redis_url, data_folder=tmp_path) as gate:
        settings = Settings(_env_file=None, data_folder=tmp_path)  # type: ignore[call-arg]  # pydantic-settings reads it
        made = make_link(settings, now=clock.now())
        late = clock.now() - LINK_LIFE - timedelta(seconds=1)
        link = made.removeprefix("http://127.0.0.1:8080")
        assert stat.S_IMODE((tmp_path / "identity" / "link").stat().st_mode) == 0o600
        # A guess takes nothing from whoever has the link.
        assert gate.client.get("/ui/open?code=guessed").status_code == 410
        assert gate.client.post("/v1/sites", json={}).status_code == 401
        opened = gate.client.get(link)
        assert (opened.status_code, opened.headers["location"]) == (303, "/")
        cookie = opened.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert OWNER_TOKEN not in cookie
        me = gate.client.get("/v1/auth/me").json()
        assert (me["means"], me["role"]) == ("local", "admin")
        # A page elsewhere that makes the browser ask has no token of the page's.
        asked = [
            gate.client.post("/v1/sites", json={}, headers=headers).status_code
            for headers in ({}, {"X-CSRF-Token": me["csrf_token"]})
        ]
        assert asked == [403, 422]
        gate.client.cookies.clear()
        again = gate.client.get(link, headers={"Accept-Language": "de"})
        assert (again.status_code, "Link" in again.text, "set-cookie" in again.headers) == (
            410,
            True,
            False,
        )
        stale = make_link(settings, now=late).removeprefix("http://127.0.0.1:8080")
        assert gate.client.get(stale).status_code == 410
        page = gate.client.get("/", headers={"Accept": "text/html"}, follow_redirects=True)
        assert (page.status_code, "link" in page.text) == (401, True)


def test_two_who_follow_one_link_at_once_are_one_browser(
    servers: Servers, redis_url: str, tmp_path: Path
) -> None:
    with empty_gate(servers.database_url, redis_url, data_folder=tmp_path) as gate:
        settings = Settings(_env_file=None, data_folder=tmp_path)  # type: ignore[call-arg]  # pydantic-settings reads it
        link = make_link(settings, now=SystemClock().now()).removeprefix("http://127.0.0.1:8080")
        with ThreadPoolExecutor(6) as pool:
            assert sorted(pool.map(lambda _: gate.client.get(link).status_code, range(6))) == [
                303,
                *[410] * 5,
            ]


def test_a_gateway_that_takes_no_owners_token_keeps_none(tmp_path: Path) -> None:
    # As in containers, where it may have no folder to write.
    settings = Settings(_env_file=None, data_folder=tmp_path / "none", api_host="0.0.0.0")  # type: ignore[call-arg]  # noqa: S104
    assert open_owner_token(settings) != open_owner_token(settings)
    assert not settings.data_folder.exists()


def test_the_owners_token_is_made_once_and_read_by_nobody_else(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_folder=tmp_path)  # type: ignore[call-arg]  # pydantic-settings reads it
    with ThreadPoolExecutor(6) as pool:
        made = set(pool.map(lambda _: open_owner_token(settings), range(6)))
    assert len(made) == 1
    assert [
        stat.S_IMODE(path.stat().st_mode)
        for path in (tmp_path / "identity", tmp_path / "identity" / "owner_token")
    ] == [0o700, 0o600]
    assert len(made.pop()) == 64


def test_of_many_who_set_up_at_once_one_does(empty: Gate) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(
                lambda number: (
                    empty.client.post(
                        "/v1/auth/setup", json=FIRST | {"name": f"first{number}"}, headers=OWNER
                    ).status_code
                ),
                range(6),
            )
        )
    assert sorted(answers) == [201, *[409] * 5]
    with unit_of_work(empty.database) as connection:
        assert len(users.list_after(connection)) == 1


@each_row(
    "headers",
    [
        pytest.param({"Host": "luna.example"}, id="another's name that leads here"),
        pytest.param({"Host": "127.0.0.1.evil.example"}, id="a name that begins like ours"),
        pytest.param({"Host": "localhost.evil.example"}, id="a name that begins like localhost"),
        pytest.param({"Host": "127.0.0.1@evil.example"}, id="a name with a user"),
        pytest.param({"Host": "0.0.0.0"}, id="every address"),  # noqa: S104
        pytest.param({"Host": "192.168.1.2:8080"}, id="an address of the network"),
        pytest.param({"X-Forwarded-For": "127.0.0.1"}, id="through a proxy"),
        pytest.param({"X-Forwarded-Host": "localhost"}, id="through a proxy that names a host"),
        pytest.param({"X-Forwarded-Proto": "http"}, id="through a proxy that names a scheme"),
        pytest.param({"Forwarded": "for=127.0.0.1"}, id="through a proxy of the standard"),
        pytest.param({"X-Real-IP": "127.0.0.1"}, id="through nginx"),
        pytest.param({"Via": "1.1 caddy"}, id="through something"),
        pytest.param({"X-Client-IP": "127.0.0.1"}, id="through a proxy that names a client"),
        pytest.param({"True-Client-IP": "127.0.0.1"}, id="through a network of proxies"),
    ],
)
def test_what_may_come_from_elsewhere_is_not_this_machines(
    untouched: Gate, headers: dict[str, str]
) -> None:
    refused = untouched.client.get(LISTED, headers=headers)
    assert (refused.status_code, "owner's token" in refused.json()["remedy"]) == (401, True)
    assert untouched.client.post("/v1/auth/setup", json=FIRST, headers=headers).status_code == 403
    assert untouched.client.get("/metrics", headers=headers).status_code == 401
    assert untouched.client.get("/health/ready", headers=headers).status_code in (200, 503)


@each_row("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.9.9.9", "[::1]:8080"])
def test_this_machine_by_its_own_names_sees_health_and_nothing_else(
    untouched: Gate, host: str
) -> None:
    own = {"Host": host}
    assert untouched.client.get("/metrics", headers=own).status_code == 200
    assert [
        untouched.client.get(path, headers=own).status_code
        for path in (LISTED, "/v1/sites", "/", "/v1/jobs")
    ] == [401, 401, 303, 401]
    assert untouched.client.post("/v1/auth/setup", json=FIRST, headers=own).status_code == 403
    assert untouched.client.get(LISTED, headers=own | OWNER).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_a_page_of_another_site_does_nothing_on_this_machine(
    untouched: Gate, headers: dict[str, str]
) -> None:
    asked: list[tuple[str, dict[str, Any]]] = [
        ("/plan", {}),
        ("/v1/auth/setup", FIRST),
        ("/v1/auth/login", FIRST),
        ("/ui/preferences", {}),
    ]
    answers = [untouched.client.post(path, json=body, headers=headers) for path, body in asked]
    assert [answer.status_code for answer in answers] == [403, 403, 403, 403]


def test_a_cookie_of_another_installation_is_nobody_s_hindrance(untouched: Gate) -> None:
    own = f"{OWNER_COOKIE}={browser_cookie_of(OWNER_TOKEN)}"
    assert (
        untouched.client.get(
            LISTED, headers={"Cookie": f"luna_session=of-another; {own}"}
        ).status_code
        == 200
    )
    assert (
        untouched.client.get(LISTED, headers={"Cookie": f"{OWNER_COOKIE}=of-another"}).status_code
        == 401
    )
    assert (
        untouched.client.get(LISTED, headers={"Authorization": "Bearer of-another"}).status_code
        == 401
    )


def test_where_sign_in_is_required_this_machine_only_sets_up_with_the_code(
    servers: Servers, redis_url: str
) -> None:
    with empty_gate(servers.database_url, redis_url, api_sign_in="required") as gate:
        assert [
            gate.client.get(LISTED, headers=headers).status_code for headers in ({}, OWNER)
        ] == [401, 401]
        assert [
            gate.client.post("/v1/auth/setup", json=FIRST | {"code": code}).status_code
            for code in ("", "guessed")
        ] == [403, 403]
        assert gate.client.get("/health/live").status_code == 200


def test_the_first_user_can_be_given_with_the_settings(servers: Servers, redis_url: str) -> None:
    with empty_gate(
        servers.database_url, redis_url, api_sign_in="required", admin_password=PASSWORD
    ) as gate:
        answer = gate.client.post("/v1/auth/login", json={"name": "admin", "password": PASSWORD})
        assert (answer.status_code, answer.json()["role"]) == (200, "admin")


def test_a_monitor_reads_metrics_with_its_token_alone(servers: Servers, redis_url: str) -> None:
    with gate_with_people(servers.database_url, redis_url, monitor_token="monitor " * 4) as gate:
        away = {"X-Forwarded-For": "192.0.2.1"}
        token = {"Authorization": f"Bearer {'monitor ' * 4}".strip()}
        said = [
            gate.client.get(path, headers=away | headers).status_code
            for path in ("/metrics", "/health/services")
            for headers in ({}, token)
        ]
        assert said == [401, 401, 401, 401]


def test_without_database_a_monitor_is_served_and_nobody_else(redis_url: str) -> None:
    away = Addresses(database_url="postgresql+psycopg://luna@127.0.0.1:9/luna", redis_url=redis_url)
    with serve(away, monitor_token="a token of monitors", **GENEROUS) as client:
        monitor = {"Authorization": "Bearer a token of monitors", "X-Forwarded-For": "192.0.2.1"}
        assert [
            client.get(path, headers=monitor).status_code
            for path in ("/metrics", "/health/services", LISTED)
        ] == [200, 200, 503]
        assert [
            client.get(LISTED).status_code,
            client.post("/v1/auth/login", json=FIRST).status_code,
        ] == [503, 503]


@pytest.fixture(scope="module")
def behind(servers: Servers, redis_url: str) -> Iterator[Gate]:
    """A gateway behind a proxy on this machine, which is the one proxy that it trusts."""
    with gate_with_people(
        servers.database_url, redis_url, trusted_proxies="127.0.0.1, no-such-proxy.invalid"
    ) as gate:
        yield gate


def through(**headers: str) -> dict[str, str]:
    """Return what a proxy in front of luna.example adds to a request."""
    return {
        "Host": "luna.example",
        "X-Forwarded-For": "198.51.100.7",
        "X-Forwarded-Proto": "https",
    } | headers


def test_behind_a_trusted_proxy_cookies_are_for_https_alone(behind: Gate) -> None:
    answer = behind.client.post(
        "/v1/auth/login",
        json={"name": NAMES["user"], "password": PASSWORD},
        headers=through(Origin="https://luna.example"),
    )
    behind.client.cookies.clear()
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-luna_session=")
    assert "Secure" in cookie
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    # The same cookie under the name without the promise is none.
    plain = cookie.partition(";")[0].removeprefix("__Host-")
    said = [
        behind.client.get("/v1/auth/me", headers=through(Cookie=each)).status_code
        for each in (cookie.partition(";")[0], plain)
    ]
    assert said == [200, 401]


@each_row(
    ("said", "address"),
    [
        pytest.param("198.51.100.7", "198.51.100.7", id="the caller"),
        pytest.param(
            "203.0.113.9, 198.51.100.7", "198.51.100.7", id="what the caller made up stands before"
        ),
        pytest.param("198.51.100.7, 127.0.0.1", "198.51.100.7", id="through two of ours"),
        pytest.param("127.0.0.1", "127.0.0.1", id="nobody but us"),
        pytest.param("not an address", "127.0.0.1", id="no address"),
        pytest.param("", "127.0.0.1", id="nothing"),
        pytest.param("[2001:db8::1]", "2001:db8::1", id="the newer kind"),
    ],
)
def test_the_callers_address_is_what_the_last_trusted_proxy_says(
    behind: Gate, said: str, address: str
) -> None:
    behind.client.post(
        "/v1/auth/login",
        json={"name": "uwe", "password": "wrong"},
        headers=through(**{"X-Forwarded-For": said}),
    )
    assert behind.audit("sign_in")[0].address == address


def test_an_origin_is_held_against_the_scheme_that_the_proxy_names(behind: Gate) -> None:
    session = behind.session("user")
    secure = {"Cookie": f"__Host-{session['Cookie']}", "X-CSRF-Token": session["X-CSRF-Token"]}
    said = [
        behind.client.post("/v1/auth/logout", headers=through(**secure, Origin=origin)).status_code
        for origin in ("http://luna.example", "https://luna.example")
    ]
    assert said == [403, 204]


def test_a_proxy_that_is_not_trusted_says_nothing(servers: Servers, redis_url: str) -> None:
    with gate_with_people(servers.database_url, redis_url) as gate:
        answer = gate.client.post(
            "/v1/auth/login", json={"name": "uwe", "password": PASSWORD}, headers=through()
        )
        assert "Secure" not in answer.headers["set-cookie"]
        assert gate.audit("sign_in")[0].address == "127.0.0.1"


def own_redis(servers: Servers, number: int) -> str:
    """Return a numbered database of Redis in which no other test counts."""
    address = f"{servers.redis_url.rsplit('/', 1)[0]}/{number}"
    # Run again within the minute, it would find what it counted itself.
    with redis.Redis.from_url(address) as counts:
        counts.flushdb()
    return address


def ask_often(ask: Any, times: int) -> list[httpx.Response]:
    return [ask(number) for number in range(times)]


def sign_in_as(gate: Gate, name: str, address: str) -> httpx.Response:
    return gate.client.post(
        "/v1/auth/login",
        json={"name": name, "password": "wrong"},
        headers=through(**{"X-Forwarded-For": address}),
    )


def test_whoever_guesses_is_stopped_by_address_by_name_and_in_all(servers: Servers) -> None:
    with gate_with_people(
        servers.database_url,
        own_redis(servers, 14),
        sign_ins_per_minute=3,
        trusted_proxies="127.0.0.1",
    ) as gate:
        by_address = ask_often(lambda number: sign_in_as(gate, f"guess-{number}", "192.0.2.10"), 4)
        by_name = ask_often(
            lambda number: sign_in_as(gate, "always-the-same", f"192.0.2.{20 + number}"), 4
        )
        assert [answer.status_code for answer in by_address] == [401, 401, 401, 429]
        assert [answer.status_code for answer in by_name] == [401, 401, 401, 429]
        refused = by_address[-1]
        assert (refused.json()["type"], 0 < int(refused.headers["retry-after"]) <= 120) == (
            "urn:luna:problem:too-many-requests",
            True,
        )
        # Refusals are counted, not written down one by one: that would be a way to fill the disk.
        assert {row.status for row in gate.audit("sign_in")} == {401}
        assert (
            'luna_api_refused_requests_total{budget="login_address"}'
            in gate.client.get("/metrics", headers=gate.session("admin")).text
        )


def test_a_caller_who_asks_too_often_is_told_when_to_come_again(servers: Servers) -> None:
    with gate_with_people(
        servers.database_url, own_redis(servers, 15), requests_per_minute=10
    ) as gate:
        headers = gate.key("user")
        answers = ask_often(lambda _: gate.client.get("/v1/auth/me", headers=headers), 11)
        assert [answer.status_code for answer in answers] == [*[200] * 10, 429]
        assert int(answers[-1].headers["retry-after"]) > 0


def test_while_redis_is_away_each_process_counts_by_itself(servers: Servers) -> None:
    with gate_with_people(
        servers.database_url, "redis://127.0.0.1:9/0", sign_ins_per_minute=2
    ) as gate:
        answers = ask_often(
            lambda _: gate.client.post("/v1/auth/login", json={"name": "uwe", "password": "wrong"}),
            3,
        )
        assert [answer.status_code for answer in answers] == [401, 401, 429]
