"""Static files of pages: style sheets, icons, and scripts built by ``make static``.

Names hold the content's digest, so browsers may cache them for ever.
"""

import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import structlog
from fastapi import Request, Response

from luna.energy.refusals import refuse
from services.api.entity_tags import accepted_encodings
from services.api.json_body import CheckedRoute
from services.api.routing import ResourceRouter

STATIC = Path(__file__).parent.parent / "static"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
# Content codings with the suffix of the compressed file, the smallest first.
ENCODINGS = {"br": ".br", "gzip": ".gz"}
CHART_STYLES = (
    "palette",
    "marks",
    "forecast",
    "bill",
    "savings",
    "energy",
    "strip",
    "price_parts",
    "answer",
    "edge",
)
# Icons of the installable web app: file, pixels, purpose ("maskable": the system may crop it).
APP_ICONS = (
    ("icon-192.png", 192, "any"),
    ("icon-512.png", 512, "any"),
    ("icon-maskable-512.png", 512, "maskable"),
)
APP_COLOR = "#14181f"
# For files without a digest in their name.
A_DAY = "public, max-age=86400"
FOR_EVER = "public, max-age=31536000, immutable"

router = ResourceRouter(route_class=CheckedRoute)
log = structlog.get_logger("luna.api")


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file, and its compressed forms by content coding."""

    name: str
    content: bytes
    encoded: dict[str, bytes]


@router.page("GET", "/static/{name}", "public")
def serve_asset(name: str, request: Request) -> Response:
    """Return a file that a page named."""
    asset = _by_name().get(name)
    if asset is None:
        raise refuse(
            "not-found",
            field="name",
            value=name,
            thing="page-file",
            source="the page, loaded again: it names the files of this version",
        )
    headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
    accepted = accepted_encodings(request)
    encoding = next((name for name in asset.encoded if name in accepted), None)
    if encoding is not None:
        headers["Content-Encoding"] = encoding
    content = asset.content if encoding is None else asset.encoded[encoding]
    return Response(
        content,
        headers=headers,
        media_type=MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream"),
    )


@router.page("GET", "/favicon.ico", "public")
def serve_icon() -> Response:
    """Return the icon that browsers ask for beside documents, downloads and JSON."""
    return Response(_icon(), headers={"Cache-Control": A_DAY}, media_type=MEDIA_TYPES[".png"])


@router.page("GET", "/manifest.webmanifest", "public")
def describe_app() -> Response:
    """Return the manifest by which a browser installs an app.

    Its addresses are relative, for below ingress the gateway is not at the root.
    """
    icons = []
    for name, size, purpose in APP_ICONS:
        address = (find_asset(name) or "").removeprefix("/")
        icon = {"src": address, "sizes": f"{size}x{size}"}
        icons.append(icon | {"type": MEDIA_TYPES[".png"], "purpose": purpose})
    manifest = {
        "name": "Luna",
        "short_name": "Luna",
        "id": "./",
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "icons": icons,
        "background_color": APP_COLOR,
        "theme_color": APP_COLOR,
    }
    return Response(
        json.dumps(manifest),
        headers={"Cache-Control": A_DAY},
        media_type="application/manifest+json",
    )


@router.page("GET", "/service-worker.js", "public")
def serve_worker() -> Response:
    """Return the script that shows a site's pages while there is no connection.

    Browsers look for another one each time.
    """
    content = files("services.api.pages").joinpath("app", "service_worker.js").read_bytes()
    return Response(content, headers={"Cache-Control": "no-cache"}, media_type=MEDIA_TYPES[".js"])


@cache
def _icon() -> bytes:
    return files("services.api.pages").joinpath("favicon.png").read_bytes()


def find_asset(name: str) -> str | None:
    """Return the path of a static file; None for a script that was not built."""
    asset = _assets().get(name)
    return None if asset is None else f"/static/{asset.name}"


@cache
def _assets() -> dict[str, Asset]:
    """Read style sheets, icons and built scripts, by the names that templates use."""
    assets: dict[str, Asset] = {}
    folder = files("services.api.pages")
    sheets = {source.name: source for source in folder.joinpath("styles").iterdir()}
    # Charts have style sheets of their own, which pages load as files.
    charts = files("luna.words.charts")
    sheets |= {f"chart-{name}.css": charts.joinpath(f"{name}.css") for name in CHART_STYLES}
    for file_name, source in sheets.items():
        content = source.read_bytes()
        compressed = {"gzip": gzip.compress(content, 9, mtime=0)}
        assets[file_name] = Asset(_hashed_name(file_name, content), content, compressed)
    for file_name, _, _ in APP_ICONS:
        content = folder.joinpath("app", file_name).read_bytes()
        assets[file_name] = Asset(_hashed_name(file_name, content), content, {})
    manifest = STATIC / "manifest.json"
    if not manifest.exists():
        log.warning("scripts are not built; pages work without them", remedy="Run: make static")
        return assets
    for file_name, built in json.loads(manifest.read_text(encoding="utf-8")).items():
        encoded = {}
        for encoding, suffix in ENCODINGS.items():
            path = STATIC / f"{built}{suffix}"
            if path.exists():
                encoded[encoding] = path.read_bytes()
        assets[file_name] = Asset(built, (STATIC / built).read_bytes(), encoded)
    return assets


def _hashed_name(file_name: str, content: bytes) -> str:
    path = Path(file_name)
    return f"{path.stem}.{hashlib.sha256(content).hexdigest()[:10]}{path.suffix}"


@cache
def _by_name() -> dict[str, Asset]:
    return {asset.name: asset for asset in _assets().values()}
