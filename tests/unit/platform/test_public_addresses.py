from ipaddress import ip_address

import pytest

from luna.energy.errors import InvalidInputError
from luna.platform.public_addresses import allows, checked_url, is_public, require_public
from tests.support.suite.tables import each_row

REFUSED = """
    0.0.0.0 0.1.2.3 10.1.2.3 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.9.9.9
    168.63.129.16 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1
    192.168.178.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::a00:1 64:ff9b::808:808 64:ff9b:1::1
    100::1 2001::1 2001:db8::1 2002:a00:1::1 3fff::1 fc00::1 fd00:ec2::254 fd20:ce::254 fe80::1
    fe80::1%eth0 fec0::1 ff02::1 5f00::1
"""
PUBLIC = (
    "8.8.8.8 1.1.1.1 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 193.0.0.1 "
    "223.255.255.255 2606:4700::1111 2a00:1450::1 2001:4860:4860::8888"
)


@each_row("address", REFUSED.split())
def test_addresses_that_lead_inside_are_refused(address: str) -> None:
    assert not is_public(ip_address(address))
    assert not allows(ip_address(address), 80)


@each_row("address", PUBLIC.split())
def test_public_addresses_are_allowed_on_the_ports_of_pages(address: str) -> None:
    assert is_public(ip_address(address))
    assert [
        port for port in (22, 25, 80, 443, 6379, 8080) if allows(ip_address(address), port)
    ] == [80, 443]


@each_row(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/a",
        "gopher://example.org/",
        "javascript:alert(1)",
        "http:///a",
        "http://",
        "example.org",
        "http://user@example.org/",
        "http://user:secret@example.org/",
        "http://example.org:0/",
        "http://example.org:99999/",
        "http://example.org:x/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://0x7f.0x0.0x0.0x1/",
        "http://127.0.0.1./",
        "http://1.2.3.4.5/",
        "http://[fe80::1%25eth0]/",
        "http://[::1",
        "http://example.org\\@10.0.0.1/",
        "http://example.org/a b",
        "http://exam\r\nple.org/",
        "http://example.org/" + "a" * 2000,
    ],
)
def test_addresses_that_say_one_thing_and_mean_another_are_refused(url: str) -> None:
    with pytest.raises(InvalidInputError):
        checked_url(url)


@each_row(
    "url",
    [
        "http://example.org",
        "https://example.org:8443/a?b#c",
        "HTTP://münchen.example/ä",
        "http://8.8.8.8/",
        "http://[2606:4700::1111]/",
    ],
)
def test_usual_addresses_are_taken(url: str) -> None:
    assert checked_url(url).hostname


def test_a_password_is_not_repeated_in_the_refusal() -> None:
    with pytest.raises(InvalidInputError) as caught:
        checked_url("https://user:secret@example.org/")
    assert "secret" not in str(caught.value)


@each_row(
    "url",
    [
        "http://127.0.0.1/a",
        "https://192.168.178.1/",
        "http://[::1]/",
        "http://[fd00::1]/",
        "http://169.254.169.254/latest/",
        "http://localhost/",
        "http://localhost./",
        "http://box.LOCALHOST/",
        "http://8.8.8.8:6379/",
        "https://example.org:8443/",
        "http://10.0.0.1./",
    ],
)
def test_an_address_that_says_itself_that_it_leads_inside_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        require_public(url)
    assert caught.value.field == "url"
    assert caught.value.reason in {"address-inward", "address-odd-number"}
    assert caught.value.remedy


@each_row(
    "url",
    [
        "http://example.org",
        "https://example.org:443/a",
        "http://münchen.example/ä",
        "http://8.8.8.8/",
        "http://[2606:4700::1111]:80/",
    ],
)
def test_what_may_be_public_is_left_to_the_resolver(url: str) -> None:
    require_public(url)
