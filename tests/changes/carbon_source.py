"""A new source of carbon intensities, with a token and a country that nobody else has."""

from tests.changes.change import Change, Edit

MODULE = '''"""Iceland through Geyser: hours, for a token."""

from dataclasses import dataclass, field
from datetime import datetime

from pydantic import AwareDatetime, BaseModel

from services.ingest.sources.carbon.declaration import CarbonSourceDeclaration
from services.ingest.sources.carbon.publication import HOUR, Intensity, make_sheet
from services.ingest.sources.source import CarbonSheet
from services.ingest.sources.web import Web

URL = "http://geyser.example/carbon"


class _Hour(BaseModel):
    at: AwareDatetime
    grams: float


class _Day(BaseModel):
    hours: list[_Hour]


@dataclass(frozen=True)
class Geyser:
    """Carbon intensity from Geyser."""

    name = "geyser"
    web: Web
    token: str = field(repr=False)

    def fetch(
        self, zone: str, first: datetime, end: datetime, *, now: datetime
    ) -> list[CarbonSheet]:
        answer = self.web.get(URL, {"place": zone}, headers={"x-key": self.token})
        hours = [Intensity(hour.at, hour.grams) for hour in answer.parse(_Day).hours]
        return [make_sheet(self.name, hours, HOUR, is_measured=True)]


SOURCE = CarbonSourceDeclaration(
    zones={"IS": "reykjavik"},
    open=lambda access: Geyser(access.web, access.token),
    setting="geyser_token",
)
'''

PROOF = """
from datetime import UTC, datetime, timedelta

import httpx
from typer.testing import CliRunner

from luna.energy.timeline import SLOT, Timeline
from luna.platform.settings import Settings
from luna.platform.settings.model import EXTERNAL_SECRETS
from services.cli.data import app
from services.ingest.carbon_collection import collect
from services.ingest.sources.carbon.declaration import GridPlace
from services.ingest.sources.carbon.registry import choose_sources

START = datetime(2026, 11, 20, tzinfo=UTC)
HERE = Timeline(START, SLOT, 8)
ICELAND = GridPlace("IS")


def answer(request):
    known = request.headers["x-key"] == "secret" and request.url.params["place"] == "reykjavik"
    hours = [
        {"at": (START + timedelta(hours=hour)).isoformat(), "grams": 28 + hour} for hour in (0, 1)
    ]
    return httpx.Response(200 if known else 403, json={"hours": hours})


settings = Settings(_env_file=None, geyser_token="secret")
sources = choose_sources(ICELAND, settings, transport=httpx.MockTransport(answer))
found = collect(sources, HERE, now=START + timedelta(days=1))
assert found.faults == [] and found.source == "geyser", found
# An hour's value holds in its four quarter-hours.
assert found.g_per_kwh.tolist() == [28.0] * 4 + [29.0] * 4
assert choose_sources(ICELAND, Settings(_env_file=None)) == []
assert "geyser_token" in EXTERNAL_SECRETS
assert "geyser" in CliRunner().invoke(app, ["carbon", "--help"], env={"COLUMNS": "200"}).stdout
"""

TOKEN_BEFORE = """tibber_token: Annotated[
SecretStr | None, Field(description="access token of Tibber"), ISSUED_ELSEWHERE, CHANGEABLE
] = None"""

CHANGE = Change(
    "carbon source",
    (
        Edit("services/ingest/sources/carbon/geyser.py", MODULE),
        Edit("luna/contracts/data.py", '    "geyser",\n', after="CarbonService = Literal["),
        Edit(
            "services/ingest/sources/carbon/all_sources.py",
            "from services.ingest.sources.carbon import geyser\n",
            after="from luna.contracts.data import CarbonService",
            lists=True,
        ),
        Edit(
            "services/ingest/sources/carbon/all_sources.py",
            '    "geyser": geyser.SOURCE,\n',
            after="CARBON_SOURCES: Mapping[CarbonService, CarbonSourceDeclaration] = {",
            lists=True,
        ),
        Edit(
            "luna/platform/settings/model.py",
            '    geyser_token: Annotated[SecretStr | None, Field(description="key of '
            'Geyser"), ISSUED_ELSEWHERE] = None\n',
            after=TOKEN_BEFORE,
        ),
    ),
    PROOF,
)
