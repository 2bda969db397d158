"""The door: the first account, signing in and out, the password again, people and keys.

And where the door leads.
"""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, text

from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from services.api.pages.account.sign_in import safe_next
from tests.support.gateway.certificates import NO_CERTIFICATES
from tests.support.gateway.server import OWNER, serve
from tests.support.suite.tables import each_row
from tests.support.words.wording import wording

NAME = "ada"
PASSWORD = "seven green lanterns hum"


@pytest.fixture
def api(
    redis_url: str, database_url: str, database: Engine, tmp_path: Path
) -> Iterator[httpx.Client]:
    with serve(
        Addresses(database_url=database_url, redis_url=redis_url),
        headers={},
        data_folder=tmp_path,
        sign_ins_per_minute=10_000,
    ) as client:
        yield client
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM users"))


def token_of(api: httpx.Client, page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', api.get(page).text)
    assert found
    return found[1]


def make_first(api: httpx.Client) -> httpx.Response:
    return api.post("/ui/first-account", data={"name": NAME, "password": PASSWORD}, headers=OWNER)


def post(api: httpx.Client, page: str, address: str, **typed: str) -> httpx.Response:
    return api.post(address, data=typed | {"csrf_token": token_of(api, page)})


def test_the_first_account_closes_the_door_behind_it_and_leads_in(api: httpx.Client) -> None:
    assert wording("account", "first_account") in unescape(api.get("/ui/login", headers=OWNER).text)
    assert make_first(api).status_code == 303
    assert api.get("/ui/admin/status").status_code == 200
    api.cookies.clear()
    shut = api.get("/ui/admin/jobs?status=dead")
    assert (shut.status_code, shut.headers["Location"]) == (
        303,
        "/ui/login?next=%2Fui%2Fadmin%2Fjobs%3Fstatus%3Ddead",
    )
    part = api.get(
        "/ui/admin/parts/jobs",
        headers={"HX-Request": "true", "HX-Current-URL": f"{api.base_url}/ui/admin/jobs"},
    )
    assert part.headers["HX-Redirect"] == "/ui/login?next=%2Fui%2Fadmin%2Fjobs"


def test_who_signs_in_comes_to_where_they_were_going_and_a_wrong_password_keeps_the_name(
    api: httpx.Client,
) -> None:
    make_first(api)
    api.cookies.clear()
    wrong = api.post(
        "/ui/login", data={"name": NAME, "password": "not it at all", "next": "/ui/admin/jobs"}
    )
    assert wrong.status_code == 401
    assert f'value="{NAME}"' in wrong.text
    assert "not it at all" not in wrong.text
    right = api.post(
        "/ui/login", data={"name": NAME, "password": PASSWORD, "next": "/ui/admin/jobs"}
    )
    assert (right.status_code, right.headers["Location"]) == (303, "/ui/admin/jobs")


def test_a_weak_password_is_refused_in_the_reader_s_language(api: httpx.Client) -> None:
    weak = api.post(
        "/ui/first-account",
        data={"name": NAME, "password": "short"},
        headers=OWNER | {"Accept-Language": "de"},
    )
    assert weak.status_code == 422
    assert wording("account", "said_weak", "de") in unescape(weak.text)


def test_what_is_critical_asks_for_the_password_and_leads_back(api: httpx.Client) -> None:
    make_first(api)
    typed = {"name": "xaver", "password": "nine quiet harbours sing", "role": "user"}
    asked = api.post(
        "/ui/admin/people",
        data=typed | {"csrf_token": token_of(api, "/ui/admin/people")},
        headers={"Referer": f"{api.base_url}/ui/admin/people"},
    )
    assert (asked.status_code, asked.headers["Location"]) == (
        303,
        "/ui/confirm?next=%2Fui%2Fadmin%2Fpeople",
    )
    assert (
        post(
            api, "/ui/confirm", "/ui/confirm", password="wrong", next="/ui/admin/people"
        ).status_code
        == 401
    )
    assert (
        post(api, "/ui/confirm", "/ui/confirm", password=PASSWORD, next="/ui/admin/people").headers[
            "Location"
        ]
        == "/ui/admin/people"
    )
    assert post(api, "/ui/admin/people", "/ui/admin/people", **typed).status_code == 303
    assert "xaver" in api.get("/ui/admin/people").text
    assert post(api, "/ui/admin/people", "/ui/admin/people/xaver/remove").status_code == 303
    assert "xaver" not in api.get("/ui/admin/people").text


def test_a_key_is_shown_once_and_opens(api: httpx.Client) -> None:
    make_first(api)
    post(api, "/ui/confirm", "/ui/confirm", password=PASSWORD)
    made = post(api, "/ui/keys", "/ui/keys", name="tablet", days="30", **{"scope-read": "on"})
    found = re.search(r"<code>(luna_[^<]+)</code>", made.text)
    assert found
    assert found[1] not in api.get("/ui/keys").text
    with httpx.Client(base_url=api.base_url, verify=NO_CERTIFICATES) as program:
        assert (
            program.get("/v1/sites", headers={"Authorization": f"Bearer {found[1]}"}).status_code
            == 200
        )
        assert (
            program.get(
                "/ui/admin/status", headers={"Authorization": f"Bearer {found[1]}"}
            ).status_code
            == 403
        )
    assert post(api, "/ui/keys", f"/ui/keys/{found[1].split('_')[1]}/remove").status_code == 303
    assert "tablet" not in api.get("/ui/keys").text


def test_a_changed_password_holds_and_signing_out_shuts_the_door(api: httpx.Client) -> None:
    make_first(api)
    changed = post(
        api,
        "/ui/password",
        "/ui/password",
        password=PASSWORD,
        new_password="eleven brass foxes wait",
    )
    assert changed.headers["Location"] == "/ui/keys?changed=1"
    assert post(api, "/ui/keys", "/ui/logout").headers["Location"] == "/ui/login"
    assert api.get("/ui/keys").status_code == 303
    assert (
        api.post(
            "/ui/login", data={"name": NAME, "password": "eleven brass foxes wait"}
        ).status_code
        == 303
    )


@pytest.mark.parametrize(
    ("ticked", "status"), [({}, 200), ({"revoke_keys": "on"}, 401)], ids=["keys stay", "keys end"]
)
def test_a_new_password_ends_keys_where_that_is_ticked(
    api: httpx.Client, ticked: dict[str, str], status: int
) -> None:
    make_first(api)
    post(api, "/ui/confirm", "/ui/confirm", password=PASSWORD)
    made = post(api, "/ui/keys", "/ui/keys", name="tablet", days="30", **{"scope-read": "on"})
    found = re.search(r"<code>(luna_[^<]+)</code>", made.text)
    assert found
    form = api.get("/ui/password").text
    assert 'name="revoke_keys"' in form
    post(
        api,
        "/ui/password",
        "/ui/password",
        password=PASSWORD,
        new_password="eleven brass foxes wait",
        **ticked,
    )
    with httpx.Client(base_url=api.base_url, verify=NO_CERTIFICATES) as program:
        assert (
            program.get("/v1/sites", headers={"Authorization": f"Bearer {found[1]}"}).status_code
            == status
        )


def test_the_page_of_keys_says_that_they_outlive_a_password(api: httpx.Client) -> None:
    make_first(api)
    assert wording("account", "keys_outlive", "en") in api.get("/ui/keys").text


@each_row(
    "address",
    [
        "https://elsewhere.example",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "javascript:alert(1)",
        "",
        "/ui/login?next=/",
        "/\nx",
    ],
)
def test_the_door_leads_to_no_other_house(address: str) -> None:
    assert safe_next(address) == "/"


def test_no_form_changes_anything_without_the_page_s_token(api: httpx.Client) -> None:
    make_first(api)
    for address in ("/ui/logout", "/ui/setup", "/ui/admin/settings", "/ui/password", "/ui/keys"):
        assert api.post(address, data={"name": "x"}).status_code == 403, address
