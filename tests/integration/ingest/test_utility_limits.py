"""DER controls of a utility's IEEE 2030.5 server, from its answers to the limits of a site."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from luna.contracts.data import FetchLimitsRequest, SiteLimitsReply
from luna.contracts.operator_limits import StoredLimit
from luna.platform.clock import FixedClock
from luna.platform.database import operator_limits, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.settings import Settings
from services.ingest.limit_collection import LimitCollection
from tests.support.database.site import stored_site
from tests.support.gateway.utility_server import Utility, der_control, issue, serving

NOW = datetime(2026, 12, 1, 16, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIVE = NOW.replace(hour=17, minute=0)
NAME = "home_with_utility"
EXPORT = "opModExpLimW"


@dataclass
class Home:
    """A home whose grid operator has a server."""

    engine: Engine
    utility: Utility
    certificate: str

    def fetch(self, now: datetime = NOW) -> list[SiteLimitsReply]:
        """Return the replies of a look at an instant."""
        self.utility.now = now + self.utility.ahead
        settings = Settings.model_validate({"ieee2030_certificate": self.certificate})
        collection = LimitCollection(self.engine, settings, FixedClock(now))
        return collection.fetch(FetchLimitsRequest()).sites

    def standing(self, now: datetime = NOW) -> list[StoredLimit]:
        with unit_of_work(self.engine) as connection:
            return operator_limits.read_standing(connection, NAME, now=now)


@pytest.fixture
def home(database: Engine, tmp_path: Path) -> Iterator[Home]:
    """A home that its utility knows by its certificate."""
    authority = issue("authority")
    client = issue("luna", authority)
    with serving(Utility(authority, tmp_path, now=NOW)) as utility:
        utility.lfdi = client.lfdi
        grid = {"ieee2030": {"url": utility.url}}
        with stored_site(database, name=NAME, grid=grid):
            yield Home(database, utility, client.pem + authority.shown.decode())


def test_control_limits_both_flows_and_is_received(home: Home) -> None:
    modes = {EXPORT: (1500, 0), "opModImpLimW": (42, 2)}
    home.utility.controls[1] = [der_control("C1", FIVE, modes)]
    [reply] = home.fetch()
    assert (reply.limits, reply.fault) == (1, None)
    [limit] = home.standing()
    assert (limit.import_kw, limit.export_kw) == (4.2, 1.5)
    assert (limit.start, limit.end) == (FIVE, FIVE + HOUR)
    assert (limit.source, limit.scope) == ("ieee2030.5", "connection")
    assert home.utility.responses == [("C1", 1)]


def test_course_of_an_event_is_reported_once_each(home: Home) -> None:
    home.utility.controls[1] = [der_control("C1", FIVE, {EXPORT: (15, 2)})]
    for minutes in (0, 5, 41, 46, 101, 106):
        home.fetch(NOW + timedelta(minutes=minutes))
    assert home.utility.responses == [("C1", 1), ("C1", 2), ("C1", 3)]


def test_response_that_failed_is_sent_again(home: Home) -> None:
    home.utility.controls[1] = [der_control("C1", FIVE, {EXPORT: (15, 2)})]
    home.utility.faults["/rsps/1/rsp"] = (400, b"not now")
    [reply] = home.fetch()
    assert reply.limits == 1
    assert reply.fault is not None
    home.utility.faults.clear()
    home.fetch(NOW + timedelta(minutes=5))
    assert home.utility.responses == [("C1", 1)]


def test_server_that_wants_no_responses_gets_none(home: Home) -> None:
    home.utility.controls[1] = [der_control("C1", FIVE, {EXPORT: (15, 2)}, responses="00")]
    home.fetch()
    assert home.utility.responses == []


def test_server_is_asked_no_sooner_than_it_says(home: Home) -> None:
    home.fetch()
    count = len(home.utility.asked)
    assert home.fetch(NOW + timedelta(minutes=4)) == []
    assert len(home.utility.asked) == count
    assert len(home.fetch(NOW + timedelta(minutes=5))) == 1


def test_default_holds_where_no_event_does(home: Home) -> None:
    home.utility.defaults[1] = {EXPORT: (15, 2)}
    home.utility.controls[1] = [der_control("C1", FIVE, {EXPORT: (10, 3)})]
    home.fetch()
    edges = [(one.export_kw, one.start, one.end) for one in home.standing()]
    assert edges == [
        (1.5, NOW, FIVE),
        (10.0, FIVE, FIVE + HOUR),
        (1.5, FIVE + HOUR, None),
    ]


def test_default_goes_on_under_its_name_and_its_past_is_kept(home: Home) -> None:
    home.utility.defaults[1] = {EXPORT: (15, 2)}
    home.fetch()
    [first] = home.standing()
    later = NOW + timedelta(minutes=6)
    home.utility.controls[1] = [der_control("C1", FIVE, {EXPORT: (10, 3)})]
    home.fetch(later)
    [before, _, after] = home.standing(later)
    assert (before.limit_id, before.start, before.end) == (first.limit_id, NOW, FIVE)
    assert after.limit_id != before.limit_id


def test_lower_primacy_counts_and_what_is_left_goes_on(home: Home) -> None:
    long = der_control("LONG", FIVE, {EXPORT: (5, 3)}, minutes=180)
    short = der_control("SHORT", FIVE + HOUR, {EXPORT: (1, 3)})
    home.utility.controls = {1: [short], 2: [long]}
    home.fetch()
    assert [(one.export_kw, one.start) for one in home.standing()] == [
        (5.0, FIVE),
        (1.0, FIVE + HOUR),
        (5.0, FIVE + 2 * HOUR),
    ]


def test_newer_event_of_one_programme_supersedes_and_is_reported(home: Home) -> None:
    home.utility.controls[1] = [der_control("OLD", FIVE, {EXPORT: (5, 3)})]
    home.fetch()
    newer = der_control("NEW", FIVE, {EXPORT: (2, 3)}, created=NOW)
    home.utility.controls[1].append(newer)
    home.fetch(NOW + timedelta(minutes=6))
    [limit] = home.standing()
    assert limit.export_kw == 2.0
    assert home.utility.responses == [("OLD", 1), ("OLD", 7), ("NEW", 1)]


@pytest.mark.parametrize(("status", "reported"), [(2, 6), (4, 7)])
def test_event_that_the_server_withdraws_ends(home: Home, status: int, reported: int) -> None:
    home.utility.controls[1] = [der_control("C1", FIVE, {EXPORT: (5, 3)})]
    home.fetch()
    home.utility.controls[1] = [der_control("C1", FIVE, {EXPORT: (5, 3)}, status=status)]
    for minutes in (45, 50):
        home.fetch(NOW + timedelta(minutes=minutes))
    assert not home.standing(NOW + timedelta(minutes=50))
    assert home.utility.responses == [("C1", 1), ("C1", reported)]


def test_event_that_vanishes_ends(home: Home) -> None:
    home.utility.controls[1] = [der_control("C1", FIVE, {EXPORT: (5, 3)})]
    home.fetch()
    home.utility.controls[1] = []
    home.fetch(NOW + timedelta(minutes=5))
    assert not home.standing(NOW + timedelta(minutes=5))


def test_event_that_came_late_begins_now_and_stays_one(home: Home) -> None:
    home.utility.controls[1] = [der_control("C1", NOW - HOUR / 2, {EXPORT: (5, 3)})]
    home.fetch()
    home.fetch(NOW + timedelta(minutes=6))
    [limit] = home.standing()
    assert (limit.start, limit.end) == (NOW, NOW + HOUR / 2)
    assert home.utility.responses == [("C1", 1), ("C1", 2)]


def test_many_events_come_in_pages(home: Home) -> None:
    home.utility.controls[1] = [
        der_control(f"C{hour}", FIVE + hour * HOUR, {EXPORT: (hour, 3)}) for hour in range(5)
    ]
    home.fetch()
    assert [limit.export_kw for limit in home.standing()] == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_randomised_start_is_the_same_at_every_reading(home: Home) -> None:
    extra = "<randomizeDuration>0</randomizeDuration><randomizeStart>1800</randomizeStart>"
    home.utility.controls[1] = [der_control("C1", FIVE, {EXPORT: (5, 3)}, extra=extra)]
    home.fetch()
    [first] = home.standing()
    home.fetch(NOW + timedelta(minutes=6))
    assert FIVE < first.start < FIVE + HOUR / 2
    assert home.standing()[0].start == first.start


def test_events_are_by_the_clock_of_the_server(home: Home) -> None:
    home.utility.ahead = HOUR
    home.utility.controls[1] = [der_control("C1", FIVE + HOUR, {EXPORT: (5, 3)})]
    home.fetch()
    assert home.standing()[0].start == FIVE


def test_share_of_the_plant_is_a_power(home: Home) -> None:
    control = der_control("C1", FIVE, {})
    base = "<DERControlBase><opModMaxLimW>5000</opModMaxLimW></DERControlBase>"
    home.utility.controls[1] = [control.replace("<DERControlBase></DERControlBase>", base)]
    with unit_of_work(home.engine) as connection:
        [site] = [one for one in sites.load_all(connection).sites if one.name == NAME]
    rated_kw = sum(one.peak_kw for one in site.pv)
    rated_kw += sum(one.discharge_limit_kw for one in site.batteries)
    home.fetch()
    assert home.standing()[0].export_kw == pytest.approx(rated_kw / 2)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/dcap", (401, b"")),
        ("/dcap", (500, b"")),
        ("/derp", (404, b"gone")),
        ("/derp/1/derc", (200, b"")),
        ("/derp/1/derc", (200, b"<DERControlList all='1'><DERControl/></DERControlList>")),
        ("/derp/1/derc", (200, b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')),
        ("/edev", (200, b"<EndDeviceList all='0'/>")),
    ],
)
def test_fault_keeps_what_is_stored(home: Home, path: str, answer: tuple[int, bytes]) -> None:
    home.utility.controls[1] = [der_control("C1", FIVE, {EXPORT: (5, 3)})]
    home.fetch()
    home.utility.faults[path] = answer
    [reply] = home.fetch(NOW + timedelta(minutes=5))
    assert reply.fault
    assert len(home.standing()) == 1
    home.utility.faults.clear()
    [reply] = home.fetch(NOW + timedelta(minutes=6))
    assert (reply.limits, reply.fault) == (1, None)


def test_link_to_another_server_is_not_followed(home: Home) -> None:
    link = b"<EndDeviceListLink href='https://other.example/edev'/>"
    elsewhere = b"<DeviceCapability>" + link + b"</DeviceCapability>"
    home.utility.faults["/dcap"] = (200, elsewhere)
    [reply] = home.fetch()
    assert reply.fault is not None
    assert "other.example" in reply.fault


def test_certificate_that_the_utility_does_not_know_is_named(home: Home) -> None:
    home.utility.lfdi = "CD" * 20
    [reply] = home.fetch()
    assert reply.fault is not None
    assert "LFDI" in reply.fault


def test_certificate_of_another_authority_is_refused(home: Home) -> None:
    stranger = issue("luna", issue("somebody"))
    home.certificate = stranger.pem + home.certificate.split("-----END PRIVATE KEY-----\n")[1]
    [reply] = home.fetch()
    assert reply.fault is not None


def test_server_of_another_authority_gets_nothing(home: Home) -> None:
    authority = issue("somebody")
    home.certificate = issue("luna", authority).pem + authority.shown.decode()
    [reply] = home.fetch()
    assert reply.fault is not None
    assert home.utility.asked == []


@pytest.mark.parametrize("certificate", ["", "no PEM", issue("alone").shown.decode()])
def test_certificate_that_cannot_be_used_is_said(home: Home, certificate: str) -> None:
    home.certificate = certificate
    [reply] = home.fetch()
    assert reply.fault is not None
    assert "ieee2030_certificate" in reply.fault
