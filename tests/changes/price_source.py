"""A new source of day-ahead prices, with a token and a market that nobody else has."""

from tests.changes.change import Change, Edit

MODULE = '''"""Iceland through Hearth: hours, in krónur, for a token."""

from dataclasses import dataclass, field
from datetime import datetime

from pydantic import AwareDatetime, BaseModel

from services.ingest.sources.prices.declaration import PriceSourceDeclaration, canonical_market
from services.ingest.sources.prices.publication import DeliveryWindow, Issue, Product, make_sheets
from services.ingest.sources.source import PriceSheet
from services.ingest.sources.web import Web

URL = "http://hearth.example/auction"
CODES = {"IS": "reykjavik"}


class _Hour(BaseModel):
    at: AwareDatetime
    isk_per_mwh: float


class _Auction(BaseModel):
    hours: list[_Hour]


@dataclass(frozen=True)
class Hearth:
    """Prices from Hearth."""

    name = "hearth"
    web: Web
    token: str = field(repr=False)

    def fetch(self, market: str, first: datetime, end: datetime) -> list[PriceSheet]:
        asked = {
            "place": CODES[canonical_market(market)],
            "from": first.isoformat(),
            "to": end.isoformat(),
        }
        auction = self.web.get(URL, asked, headers={"x-key": self.token}).parse(_Auction)
        return make_sheets(
            DeliveryWindow(market, first, end),
            (Product(hour.at, 60, hour.isk_per_mwh) for hour in auction.hours),
            Issue("ISK"),
        )


SOURCE = PriceSourceDeclaration(
    codes=CODES,
    open=lambda access: Hearth(access.web, access.token),
    setting="hearth_token",
    currencies=frozenset({"ISK"}),
    clock="Atlantic/Reykjavik",
)
'''

# Where the module says hearth.example, the program's own server answers: nothing of Luna's is
# replaced.
PROOF = """
import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
from typer.testing import CliRunner

from luna.contracts import FetchPricesRequest
from luna.platform.settings import Settings
from luna.platform.settings.model import EXTERNAL_SECRETS
from luna.energy.timeline import SLOT, Timeline
from services.cli.data import app
from services.ingest.collected_prices import Need
from services.ingest.price_collection import gather_all

START = datetime(2026, 11, 20, tzinfo=UTC)


class Auction(BaseHTTPRequestHandler):
    def do_GET(self):
        asked = parse_qs(urlsplit(self.path).query)
        known = self.headers["x-key"] == "secret" and asked["place"] == ["reykjavik"]
        hours = [
            {"at": (START + timedelta(hours=hour)).isoformat(), "isk_per_mwh": 1000.0 * (hour + 1)}
            for hour in range(24)
        ]
        body = json.dumps({"hours": hours}).encode()
        self.send_response(200 if known else 403)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


class ToServer(httpx.HTTPTransport):
    def handle_request(self, request):
        assert request.url.host == "hearth.example"
        request.url = request.url.copy_with(host="127.0.0.1", port=server.server_port)
        return super().handle_request(request)


server = HTTPServer(("127.0.0.1", 0), Auction)
threading.Thread(target=server.serve_forever, daemon=True).start()
need = Need("IS", "ISK", Timeline(START, SLOT, 96))
settings = Settings(_env_file=None, hearth_token="secret")
for request in (FetchPricesRequest(), FetchPricesRequest(market="IS", source="hearth")):
    (found,) = gather_all([need], request, settings, transport=ToServer())
    assert found.faults == [] and found.sources == {"hearth": 96}, found
    # 1,000 a MWh is 1 a kWh, and an hour's price holds in its four quarter-hours.
    assert found.price.tolist() == [hour + 1.0 for hour in range(24) for _ in range(4)]
assert gather_all([need], FetchPricesRequest(), Settings(_env_file=None))[0].sources == {}
assert "hearth_token" in EXTERNAL_SECRETS
assert "hearth" in CliRunner().invoke(app, ["prices", "--help"], env={"COLUMNS": "200"}).stdout
server.shutdown()
"""

TOKEN_BEFORE = """tibber_token: Annotated[
SecretStr | None, Field(description="access token of Tibber"), ISSUED_ELSEWHERE, CHANGEABLE
] = None"""

CHANGE = Change(
    "price source",
    (
        Edit("services/ingest/sources/prices/hearth.py", MODULE),
        Edit("luna/contracts/data.py", '    "hearth",\n', after="PriceService = Literal["),
        Edit(
            "services/ingest/sources/prices/all_sources.py",
            "from services.ingest.sources.prices import hearth\n",
            after="from luna.contracts.data import PriceService",
            lists=True,
        ),
        Edit(
            "services/ingest/sources/prices/all_sources.py",
            '    "hearth": hearth.SOURCE,\n',
            after=("PRICE_SOURCES: Mapping[PriceService, PriceSourceDeclaration] = {"),
            lists=True,
        ),
        Edit(
            "luna/platform/settings/model.py",
            '    hearth_token: Annotated[SecretStr | None, Field(description="key of '
            'Hearth"), ISSUED_ELSEWHERE] = None\n',
            after=TOKEN_BEFORE,
        ),
    ),
    PROOF,
)
