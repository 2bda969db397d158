"""Signing in and out, and everything that somebody tries who should not be in."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from argon2 import PasswordHasher
from pydantic import SecretStr
from sqlalchemy import text

from luna.contracts.identity import NewUser
from luna.energy.refusals import refuse
from luna.platform import passwords
from luna.platform.clock import SystemClock
from luna.platform.database import sessions, users
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Servers
from tests.support.gateway.certificates import NO_CERTIFICATES
from tests.support.gateway.people import FOREIGN, NAMES, OWN, PASSWORD, Gate, gate_with_people
from tests.support.suite.tables import each_row

KEY = "the key of one installation, long enough"
NEW_PASSWORD = "harbour copper thistle rain"


@pytest.fixture(scope="module")
def gate(servers: Servers, redis_url: str) -> Iterator[Gate]:
    with gate_with_people(servers.database_url, redis_url, token_key=KEY) as gate:
        yield gate


def sign_in(
    gate: Gate, name: str = NAMES["user"], password: str = PASSWORD, **more: Any
) -> httpx.Response:
    with httpx.Client(base_url=gate.client.base_url, verify=NO_CERTIFICATES) as browser:
        return browser.post("/v1/auth/login", json={"name": name, "password": password}, **more)


def me(gate: Gate, **headers: str) -> httpx.Response:
    return gate.client.get("/v1/auth/me", headers=headers)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_browser_gets_a_cookie_that_no_script_and_no_other_site_has(gate: Gate) -> None:
    answer = sign_in(gate)
    cookie = answer.headers["set-cookie"]
    assert (answer.status_code, answer.json()["name"], answer.json()["sites"]) == (
        200,
        "uwe",
        [OWN],
    )
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Secure" not in cookie
    assert me(gate, Cookie=cookie.partition(";")[0]).json() | {"tokens": None} == answer.json()


def test_nothing_that_signs_in_is_stored_as_it_is(gate: Gate) -> None:
    cookie = sign_in(gate).headers["set-cookie"].partition(";")[0].partition("=")[2]
    tokens = gate.tokens("user")
    key = gate.key("user")["Authorization"].split("_", 2)[2]
    with unit_of_work(gate.database) as connection:
        rows = [
            str(connection.execute(text(f"SELECT * FROM {table}")).all())  # noqa: S608
            for table in ("users", "sessions", "refresh_tokens", "api_keys", "audit_log")
        ]
    assert not [
        secret
        for secret in (PASSWORD, cookie, tokens["refresh_token"], tokens["access_token"], key)
        if secret in "".join(rows)
    ]


@each_row(
    ("name", "password"),
    [
        pytest.param("uwe", "not the password at all", id="password"),
        pytest.param("nobody-of-this-name", PASSWORD, id="name"),
        pytest.param("UWE", PASSWORD, id="another name"),
        pytest.param("uwe", PASSWORD + " ", id="a space more"),
        pytest.param("uwe", "x" * 1_000_000, id="as much as fits"),
        pytest.param("uwe", "", id="nothing"),
        pytest.param("uwe'; DROP TABLE users; --", PASSWORD, id="a statement"),
    ],
)
def test_a_wrong_sign_in_does_not_say_what_was_wrong(gate: Gate, name: str, password: str) -> None:
    answer = sign_in(gate, name, password)
    refused = refuse("password-wrong", field="password")
    assert (answer.status_code, answer.json()["detail"]) == (401, str(refused))
    assert "set-cookie" not in answer.headers


def test_the_password_of_nobody_is_hashed_as_that_of_somebody() -> None:
    assert not passwords.is_right(PASSWORD, None)
    # What stands in for nobody has the parameters of what stands for somebody, so both take as
    # long.
    assert [
        passwords.is_outdated(kept)
        for kept in (passwords.hash_of_nobody(), passwords.hash_password(PASSWORD))
    ] == [False, False]


def test_a_session_begun_by_somebody_else_is_not_taken_over(gate: Gate) -> None:
    planted = gate.session("analyst")["Cookie"]
    answer = sign_in(gate, headers={"Cookie": planted})
    assert answer.headers["set-cookie"].partition(";")[0] != planted
    assert me(gate, Cookie=planted).status_code == 401


def test_signing_out_ends_the_session(gate: Gate) -> None:
    headers = gate.session("user")
    answer = gate.client.post("/v1/auth/logout", headers=headers)
    assert (answer.status_code, "Max-Age=0" in answer.headers["set-cookie"]) == (204, True)
    assert gate.client.get("/v1/auth/me", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("seen", "ends"),
    [
        pytest.param(timedelta(days=-8), timedelta(days=1), id="unused"),
        pytest.param(timedelta(0), timedelta(seconds=-1), id="old"),
    ],
)
def test_a_session_ends_by_itself(gate: Gate, seen: timedelta, ends: timedelta) -> None:
    now = SystemClock().now()
    with unit_of_work(gate.database) as connection:
        sessions.open_session(
            connection,
            gate.user_id("user"),
            token=f"cookie{ends}",
            address="",
            now=now + seen,
            ends=now + ends,
        )
    assert me(gate, Cookie=f"luna_session=cookie{ends}").status_code == 401
    with unit_of_work(gate.database) as connection:
        assert sessions.forget_ended(connection, now=now, idle=timedelta(days=7)) >= 1


def test_a_password_kept_with_weaker_parameters_is_hashed_anew_when_it_is_given(gate: Gate) -> None:
    weaker = PasswordHasher(time_cost=1, memory_cost=32, parallelism=1).hash(PASSWORD)
    with unit_of_work(gate.database) as connection:
        users.add(connection, NewUser(name="old", password=SecretStr(PASSWORD)), weaker)
    assert sign_in(gate, "old").status_code == 200
    with unit_of_work(gate.database) as connection:
        known = users.find_credentials(connection, "old")
    assert known is not None
    assert not passwords.is_outdated(known.password_hash)
    assert sign_in(gate, "old").status_code == 200


def forge(
    gate: Gate,
    *,
    key: str = KEY,
    algorithm: str = "HS256",
    header: dict[str, Any] | None = None,
    **claims: Any,
) -> str:
    """Return a token like that of a real sign-in, but for what is given."""
    real = jwt.decode(gate.tokens("user")["access_token"], options={"verify_signature": False})
    return jwt.encode(
        real | claims, key, algorithm=algorithm, headers={"typ": "at+jwt"} | (header or {})
    )


def without_signature(gate: Gate) -> str:
    head, payload, _ = gate.tokens("user")["access_token"].split(".")
    none = (
        base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "at+jwt"}).encode())
        .decode()
        .rstrip("=")
    )
    assert head
    return f"{none}.{payload}."


def test_a_forged_token_like_a_real_one_would_hold(gate: Gate) -> None:
    assert gate.client.get("/v1/auth/me", headers=bearer(forge(gate))).json()["name"] == "uwe"


@each_row(
    "make",
    [
        pytest.param(without_signature, id="no algorithm"),
        pytest.param(
            lambda gate: forge(gate, key="another key of thirty-two characters"), id="another key"
        ),
        pytest.param(
            lambda gate: forge(gate, key=KEY + KEY, algorithm="HS512"), id="another algorithm"
        ),
        pytest.param(lambda gate: forge(gate, exp=1), id="ended"),
        pytest.param(lambda gate: forge(gate, exp="never"), id="an end that is none"),
        pytest.param(lambda gate: forge(gate, sub="999999"), id="another sign-in"),
        pytest.param(lambda gate: forge(gate, sub="9" * 40), id="a number beyond all"),
        pytest.param(lambda gate: forge(gate, sub="1 OR 1=1"), id="no number"),
        pytest.param(lambda gate: forge(gate, aud="luna-refresh"), id="for somebody else"),
        pytest.param(lambda gate: forge(gate, iss="moon"), id="by somebody else"),
        pytest.param(lambda gate: forge(gate, header={"typ": "JWT"}), id="of another kind"),
        pytest.param(
            lambda gate: forge(gate, header={"typ": "at+jwt", "crit": ["exp"]}),
            id="with what must be understood",
        ),
        pytest.param(lambda gate: gate.tokens("user")["refresh_token"], id="a refresh token"),
        pytest.param(lambda gate: gate.session("user")["Cookie"].partition("=")[2], id="a cookie"),
        pytest.param(
            lambda gate: gate.key("user")["Authorization"][:-1], id="a key without its last letter"
        ),
        pytest.param(lambda _: "luna_000000000000_secret", id="a key of nobody"),
        pytest.param(lambda _: "luna__", id="no key"),
        pytest.param(lambda _: "x" * 5000, id="as long as fits"),
    ],
)
def test_what_is_no_token_of_ours_lets_nobody_in(gate: Gate, make: Any) -> None:
    assert gate.client.get("/v1/auth/me", headers=bearer(make(gate))).status_code == 401


@each_row("header", ["Basic dXdlOnBhc3N3b3Jk", "Bearer", "luna_1_2", "Bearer a b c", "Bearer \xff"])
def test_what_is_no_bearer_lets_nobody_in(gate: Gate, header: str) -> None:
    assert (
        gate.client.get(
            "/v1/auth/me", headers={"Authorization": header.encode("latin-1")}
        ).status_code
        == 401
    )


def test_a_session_as_a_token_and_a_token_as_a_session_are_neither(gate: Gate) -> None:
    now = SystemClock().now()
    with unit_of_work(gate.database) as connection:
        number = sessions.open_session(
            connection,
            gate.user_id("user"),
            token="a browser's",
            address="",
            now=now,
            ends=now + timedelta(days=1),
        )
    # A browser's session has no access tokens, whoever makes one for it.
    assert (
        gate.client.get("/v1/auth/me", headers=bearer(forge(gate, sub=str(number)))).status_code
        == 401
    )
    assert me(gate, Cookie=f"luna_session={gate.tokens('user')['access_token']}").status_code == 401


def test_a_wrong_header_is_not_made_good_by_a_cookie(gate: Gate) -> None:
    assert (
        gate.client.get("/v1/auth/me", headers=gate.session("user") | bearer("wrong")).status_code
        == 401
    )


def refresh(gate: Gate, token: str) -> httpx.Response:
    return gate.client.post("/v1/auth/refresh", json={"refresh_token": token})


def test_a_refresh_token_used_twice_ends_the_sign_in_for_both_who_hold_it(gate: Gate) -> None:
    first = gate.tokens("user")
    second = refresh(gate, first["refresh_token"]).json()
    assert (
        gate.client.get("/v1/auth/me", headers=bearer(second["access_token"])).json()["means"]
        == "token"
    )
    assert refresh(gate, first["refresh_token"]).status_code == 401
    ended = [
        refresh(gate, second["refresh_token"]),
        *(
            gate.client.get("/v1/auth/me", headers=bearer(pair["access_token"]))
            for pair in (first, second)
        ),
    ]
    assert [answer.status_code for answer in ended] == [401, 401, 401]


def test_of_many_who_use_a_refresh_token_at_once_one_gets_tokens(gate: Gate) -> None:
    token = gate.tokens("user")["refresh_token"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: refresh(gate, token).status_code, range(8)))
    assert sorted(answers)[1:] == [401] * 7


def test_a_new_password_ends_every_sign_in_but_the_browser_that_gave_it(gate: Gate) -> None:
    with unit_of_work(gate.database) as connection:
        users.add(
            connection,
            NewUser(name="pia", password=SecretStr(PASSWORD)),
            passwords.hash_password(PASSWORD),
        )
    old = [sign_in(gate, "pia").headers["set-cookie"].partition(";")[0] for _ in range(2)]
    token = me(gate, Cookie=old[0]).json()["csrf_token"]
    wrong = gate.client.post(
        "/v1/auth/password",
        json={"password": "wrong", "new_password": NEW_PASSWORD},
        headers={"Cookie": old[0], "X-CSRF-Token": token},
    )
    changed = gate.client.post(
        "/v1/auth/password",
        json={"password": PASSWORD, "new_password": NEW_PASSWORD},
        headers={"Cookie": old[0], "X-CSRF-Token": token},
    )
    new = changed.headers["set-cookie"].partition(";")[0]
    gate.client.cookies.clear()
    assert (wrong.status_code, changed.status_code) == (401, 204)
    assert [me(gate, Cookie=cookie).status_code for cookie in (*old, new)] == [401, 401, 200]
    assert [sign_in(gate, "pia", word).status_code for word in (PASSWORD, NEW_PASSWORD)] == [
        401,
        200,
    ]


@each_row(
    ("headers", "status"),
    [
        pytest.param({}, 204, id="no origin: no browser"),
        pytest.param({"Origin": "{own}"}, 204, id="its own page"),
        pytest.param(
            {"Origin": "{own}", "Sec-Fetch-Site": "same-origin"},
            204,
            id="its own page, as browsers say",
        ),
        pytest.param({"Origin": "https://evil.example"}, 403, id="another site"),
        pytest.param({"Origin": "null"}, 403, id="a hidden origin"),
        pytest.param({"Origin": "{own}.evil.example"}, 403, id="a longer name"),
        pytest.param({"Origin": "http://127.0.0.1"}, 403, id="another port"),
        pytest.param({"Origin": "http://[::1"}, 403, id="no origin at all"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, 403, id="across sites"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, 403, id="a neighbour"),
        pytest.param({"X-CSRF-Token": ""}, 403, id="no token"),
        pytest.param({"X-CSRF-Token": "0" * 64}, 403, id="another session's token"),
    ],
)
def test_a_page_of_another_site_cannot_ask_in_a_browsers_name(
    gate: Gate, headers: dict[str, str], status: int
) -> None:
    own = str(gate.client.base_url).rstrip("/")
    sent = gate.session("user") | {name: value.format(own=own) for name, value in headers.items()}
    assert gate.client.post("/v1/auth/logout", headers=sent).status_code == status


def test_a_plain_form_carries_the_token_as_a_field(gate: Gate) -> None:
    headers = gate.session("user")
    token = headers.pop("X-CSRF-Token")
    without, with_it = ({"csrf_token": word} for word in ("", token))
    answers = [
        gate.client.post("/v1/auth/logout", data=form, headers=headers)
        for form in (without, with_it)
    ]
    assert [answer.status_code for answer in answers] == [403, 204]


def test_a_program_needs_no_token_against_foreign_pages(gate: Gate) -> None:
    assert (
        gate.client.post(
            "/v1/auth/logout", headers=bearer(gate.tokens("user")["access_token"])
        ).status_code
        == 204
    )


def test_a_key_does_what_it_was_given_and_on_no_other_site(gate: Gate) -> None:
    reading = gate.key("admin", "read", sites=(OWN,))
    asked = [
        gate.client.get(f"/v1/sites/{site}/quarantine", headers=reading).status_code
        for site in (OWN, FOREIGN)
    ]
    assert [*asked, gate.client.get("/v1/users", headers=reading).status_code] == [200, 404, 403]


def test_a_key_is_never_more_than_its_owner(gate: Gate) -> None:
    headers = gate.key("user", "read", "data", "administer")
    told = gate.client.get("/v1/auth/me", headers=headers).json()
    assert (told["scopes"], told["sites"], told["means"]) == (["read"], [OWN], "key")


def test_a_key_whose_only_site_is_gone_has_none(gate: Gate) -> None:
    with unit_of_work(gate.database) as connection:
        connection.execute(text("INSERT INTO sites (name) VALUES ('fleeting')"))
    headers = gate.key("admin", "read", sites=("fleeting",))
    with unit_of_work(gate.database) as connection:
        connection.execute(text("DELETE FROM sites WHERE name = 'fleeting'"))
    assert gate.client.get("/v1/auth/me", headers=headers).json()["sites"] == []


def test_a_key_ends_and_can_be_taken_away(gate: Gate) -> None:
    headers = gate.key("user")
    with unit_of_work(gate.database) as connection:
        connection.execute(text("UPDATE api_keys SET expires_at = now()"))
    assert gate.client.get("/v1/auth/me", headers=headers).status_code == 401
    headers = gate.key("user")
    own = gate.session("user")
    prefix = headers["Authorization"].split("_")[1]
    assert gate.client.get("/v1/auth/me", headers=headers).status_code == 200
    foreign = gate.client.delete(f"/v1/keys/{prefix}", headers=gate.session("analyst"))
    assert (
        foreign.status_code,
        gate.client.delete(f"/v1/keys/{prefix}", headers=own).status_code,
    ) == (404, 204)
    assert gate.client.get("/v1/auth/me", headers=headers).status_code == 401


def make_key(gate: Gate, headers: dict[str, str], **key: Any) -> httpx.Response:
    return gate.client.post("/v1/keys", json={"name": "made"} | key, headers=headers)


def test_a_key_is_shown_once_and_makes_no_more_than_it_is(gate: Gate) -> None:
    made = make_key(gate, gate.session("user", confirmed=True), scopes=["read", "operate"])
    assert made.status_code == 201, made.text
    assert gate.client.get("/v1/auth/me", headers=bearer(made.json()["key"])).json()["scopes"] == [
        "operate",
        "read",
    ]
    assert (
        made.json()["key"].split("_", 2)[2]
        not in gate.client.get("/v1/keys", headers=gate.session("user")).text
    )
    password = {"X-Confirm-Password": PASSWORD.replace(" ", "%20")}
    bounded = gate.key("admin", "read", "operate", sites=(OWN,)) | password
    assert make_key(gate, bounded, scopes=["read"]).json()["sites"] == [OWN]
    assert make_key(gate, bounded, scopes=["read", "data"]).status_code == 403
    assert make_key(gate, bounded, scopes=["read"], sites=[FOREIGN]).status_code == 404
    assert (
        make_key(
            gate, gate.session("admin", confirmed=True), scopes=["administer"], sites=[OWN]
        ).status_code
        == 422
    )
    assert make_key(gate, gate.key("user") | {"X-Confirm-Password": "wrong"}).status_code == 401


def test_giving_the_password_again_opens_what_is_critical_for_a_while(gate: Gate) -> None:
    headers = gate.session("admin")
    new = {"name": "new", "password": NEW_PASSWORD}
    before = gate.client.post("/v1/users", json=new, headers=headers)
    wrong = gate.client.post("/v1/auth/confirm", json={"password": "wrong"}, headers=headers)
    right = gate.client.post("/v1/auth/confirm", json={"password": PASSWORD}, headers=headers)
    after = gate.client.post("/v1/users", json=new, headers=headers)
    assert [answer.status_code for answer in (before, wrong, right, after)] == [403, 401, 204, 201]


def test_people_are_changed_and_removed_and_an_admin_stays(gate: Gate) -> None:
    headers = gate.session("admin", confirmed=True)
    person = gate.client.post(
        "/v1/users", json={"name": "tom", "password": NEW_PASSWORD, "sites": [OWN]}, headers=headers
    ).json()
    changed = gate.client.patch(
        "/v1/users/tom", json={"role": "analyst", "sites": [OWN, FOREIGN]}, headers=headers
    ).json()
    assert (person["role"], person["sites"], changed["role"], changed["sites"]) == (
        "user",
        [OWN],
        "analyst",
        [FOREIGN, OWN],
    )
    last = [
        gate.client.patch("/v1/users/ada", json={"role": "user"}, headers=headers),
        gate.client.delete("/v1/users/ada", headers=headers),
    ]
    assert [answer.status_code for answer in last] == [409, 409]
    refused = [
        gate.client.post("/v1/users", json={"name": name, "password": word}, headers=headers)
        for name, word in (
            ("tom", NEW_PASSWORD),
            ("short", "shortest"),
            ("long", "x" * 129),
            ("plain", "password1234"),
            ("local", NEW_PASSWORD),
        )
    ]
    assert [answer.status_code for answer in refused] == [409, 422, 422, 422, 422]
    assert not [
        answer for answer in refused if "shortest" in answer.text or "password1234" in answer.text
    ]
    assert gate.client.delete("/v1/users/tom", headers=headers).status_code == 204
    assert "tom" not in [
        user["name"] for user in gate.client.get("/v1/users", headers=headers).json()["users"]
    ]


def test_lists_go_on_where_they_ended(gate: Gate) -> None:
    headers = gate.session("admin")
    for _ in range(4):
        gate.key("admin", "read")
        sign_in(gate, "uwe", "wrong")
    for address, noun, own in (
        ("/v1/users", "users", "name"),
        ("/v1/keys", "keys", "prefix"),
        ("/v1/audit", "entries", "entry_id"),
    ):
        whole = gate.client.get(address, headers=headers, params={"limit": 4}).json()[noun]
        first = gate.client.get(address, headers=headers, params={"limit": 2}).json()
        second = gate.client.get(
            address, headers=headers, params={"limit": 2, "cursor": first["cursor"]}
        ).json()
        assert [row[own] for row in first[noun] + second[noun]] == [row[own] for row in whole]


def test_what_was_done_and_who_tried_stands_in_the_audit_log(gate: Gate) -> None:
    trace = {"X-Request-Id": "audited-0001"}
    sign_in(gate, "uwe", "wrong", headers=trace)
    gate.client.post(
        f"/v1/sites/{OWN}/manual-blocks",
        headers=gate.session("analyst") | {"X-Request-Id": "audited-0002"},
        json={},
    )
    gate.client.post(
        f"/v1/sites/{OWN}/manual-blocks",
        headers=gate.session("user") | {"X-Request-Id": "audited-0003"},
        json={},
    )
    assert tuple(gate.audit("sign_in")[0]) == (
        "uwe",
        "password",
        None,
        401,
        "127.0.0.1",
        "audited-0001",
    )
    assert tuple(gate.audit("add_manual_block")[1]) == (
        "ana",
        "session",
        None,
        403,
        "127.0.0.1",
        "audited-0002",
    )
    assert tuple(gate.audit("add_manual_block")[0]) == (
        "uwe",
        "session",
        OWN,
        422,
        "127.0.0.1",
        "audited-0003",
    )
    told = gate.client.get(
        "/v1/audit",
        params={"user": "uwe", "operation": "sign_in", "limit": 1},
        headers=gate.session("admin"),
    ).json()
    assert (told["entries"][0]["status"], told["entries"][0]["request_id"]) == (401, "audited-0001")


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_log SET user_name = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"],
)
def test_the_audit_log_is_only_added_to(gate: Gate, statement: str) -> None:
    sign_in(gate, "uwe", "wrong")
    with (
        pytest.raises(Exception, match="audit_log is only"),
        unit_of_work(gate.database) as connection,
    ):
        connection.execute(text(statement))


def test_every_answer_tells_the_browser_what_it_must_not_do(gate: Gate) -> None:
    for address in ("/health/live", "/nowhere", "/v1/auth/me", "/docs"):
        headers = gate.client.get(address, headers=gate.session("user")).headers
        assert "default-src '" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == (
            "nosniff",
            "same-origin",
        )
        assert headers["x-request-id"] == headers["x-trace-id"]
        assert "strict-transport-security" not in headers
    assert (
        gate.client.get("/v1/auth/me", headers=gate.session("user")).headers["cache-control"]
        == "no-store"
    )
