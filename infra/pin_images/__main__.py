"""``python -m infra.pin_images [--check] [--default URL] [FILE …]``: pins images by digest.

It writes the digest of each image behind its tag, as its registry names it now.

A tag can be moved to other contents; a digest cannot. A file is rewritten whole or not at all:
where the digest of one of its images cannot be read it stays as it is, the image is named, and the
exit status is 1. With ``--check`` nothing is written, and an image without a digest, or with
another, counts as a fault.

An image that names no registry is asked at the one that ``--default`` or ``LUNA_IMAGE_REGISTRY``
names.

Source: OCI Distribution Specification 1.1, "Checking if content exists in the registry";
Distribution, "Token Authentication Specification".
"""

import argparse
import hashlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

ROOT = Path(__file__).resolve().parents[2]
# Home Assistant's own schema allows no digest in infra/home-assistant/luna/build.yaml, whose images
# its Dockerfile takes.
FILES = (
    "docker-compose.yml",
    "docker-compose.gpu.yml",
    "docker-compose.lab.yml",
    "docker-compose.training.yml",
    "infra/Dockerfile",
    "infra/fluent-bit/Dockerfile",
)
VARIABLE = "LUNA_IMAGE_REGISTRY"
PATIENCE_SECONDS = 20.0
# An index names the image of every platform; a registry that has one answers with it.
INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
LARGEST_MANIFEST = 4_000_000
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_IMAGE = re.compile(
    r"^\s*(?:-\s+)?(?:\w[\w-]*:\s*\{.*?)?image:\s*[\"']?(?P<image>[^\s\"',}#]+)", re.MULTILINE
)
_FROM = re.compile(
    r"^\s*FROM\s+(?:--\S+\s+)*(?P<image>\S+)(?:\s+AS\s+(?P<stage>\S+))?",
    re.MULTILINE | re.IGNORECASE,
)
_ARGUMENT = re.compile(
    r"^\s*ARG\s+\w+=(?P<image>[\w./-]+:[\w.-]+(?:@sha256:[0-9a-f]{64})?)\s*$", re.MULTILINE
)
_COPY = re.compile(r"^\s*COPY\s+(?:--\S+\s+)*--from=(?P<image>\S+)", re.MULTILINE | re.IGNORECASE)
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


class PinError(Exception):
    """The digest of an image cannot be read."""


@dataclass(frozen=True, slots=True)
class ImageName:
    """An image as a file names it.

    Registry (empty: the default one), repository, tag, digest (empty: none).
    """

    registry: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def of(cls, text: str) -> "ImageName":
        """Return the parts of an image's name.

        Raises:
            PinError: it names no tag, so that nobody knows which one is meant.
        """
        name, _, digest = text.partition("@")
        first, slash, rest = name.partition("/")
        # The first part is a registry where it could not be a folder of one.
        is_registry = bool(slash) and (first == "localhost" or "." in first or ":" in first)
        registry, path = (first, rest) if is_registry else ("", name)
        repository, colon, tag = path.rpartition(":")
        if not colon:
            raise PinError("names no tag")
        if not is_registry and "/" not in repository:
            repository = f"library/{repository}"
        return cls(registry, repository, tag, digest)


class _SameHost(HTTPRedirectHandler):
    """Follows redirects without handing the token to another host."""

    def redirect_request(self, request: Request, *answer: object) -> Request | None:
        follower = super().redirect_request(request, *answer)  # type: ignore[arg-type]
        if (
            follower is not None
            and urlsplit(follower.full_url).netloc != urlsplit(request.full_url).netloc
        ):
            follower.remove_header("Authorization")
        return follower


class Registries:
    """Reads digests, each image's once.

    Args:
        default: address of the registry of images that name none; empty: there is none.
    """

    def __init__(self, default: str = "") -> None:
        self._default = default.rstrip("/")
        self._opener: OpenerDirector = build_opener(_SameHost)
        self._answers: dict[tuple[str, str, str], str | PinError] = {}

    def read_digest(self, image: ImageName) -> str:
        """Return the digest that an image's tag has now.

        Raises:
            PinError: the registry does not say.
        """
        key = (image.registry, image.repository, image.tag)
        if key not in self._answers:
            try:
                self._answers[key] = self._ask(image)
            except PinError as error:
                self._answers[key] = error
        answer = self._answers[key]
        if isinstance(answer, PinError):
            raise answer
        return answer

    def _ask(self, image: ImageName) -> str:
        address = self._locate(image)
        url = f"{address}/v2/{image.repository}/manifests/{image.tag}"
        headers = {"Accept": ", ".join((*INDEXES, *MANIFESTS))}
        try:
            answer, _ = self._send("HEAD", url, headers)
        except HTTPError as error:
            if error.code != 401:
                raise PinError(_explain(error)) from error
            challenge = error.headers.get("WWW-Authenticate", "")
            token = self._fetch_token(challenge, image, address)
            headers["Authorization"] = f"Bearer {token}"
            try:
                answer, _ = self._send("HEAD", url, headers)
            except HTTPError as refused:
                raise PinError(_explain(refused)) from refused
        digest = answer.get("docker-content-digest", "") or self._compute(url, headers)
        if not _DIGEST.fullmatch(digest):
            raise PinError(f"the registry answers with no SHA-256: {digest[:80]}")
        return digest

    def _compute(self, url: str, headers: Mapping[str, str]) -> str:
        """Return the digest of the manifest itself, for a registry that names none."""
        try:
            _, content = self._send("GET", url, headers)
        except HTTPError as error:
            raise PinError(_explain(error)) from error
        return f"sha256:{hashlib.sha256(content).hexdigest()}"

    def _locate(self, image: ImageName) -> str:
        if not image.registry:
            if not self._default:
                raise PinError(f"names no registry: say which by --default or {VARIABLE}")
            return self._default
        host = image.registry.partition(":")[0]
        return f"{'http' if host in ('localhost', '127.0.0.1') else 'https'}://{image.registry}"

    def _fetch_token(self, challenge: str, image: ImageName, address: str) -> str:
        parts = dict(_CHALLENGE.findall(challenge))
        realm = parts.get("realm", "")
        if not challenge.lower().startswith("bearer") or urlsplit(realm).scheme not in (
            "https",
            urlsplit(address).scheme,
        ):
            raise PinError("the registry wants a password")
        query = {
            "service": parts.get("service", ""),
            "scope": parts.get("scope") or f"repository:{image.repository}:pull",
        }
        try:
            _, content = self._send(
                "GET",
                f"{realm}?{urlencode({name: value for name, value in query.items() if value})}",
                {},
            )
            document = json.loads(content)
            return str(document.get("token") or document["access_token"])
        except HTTPError as error:
            raise PinError(f"no token: {_explain(error)}") from error
        except (ValueError, KeyError, AttributeError) as error:
            raise PinError("no token: the answer is none") from error

    def _send(
        self, method: str, url: str, headers: Mapping[str, str]
    ) -> tuple[dict[str, str], bytes]:
        # The address is a registry's.
        request = Request(url, headers=dict(headers), method=method)  # noqa: S310
        try:
            with self._opener.open(request, timeout=PATIENCE_SECONDS) as answer:
                content = answer.read(LARGEST_MANIFEST + 1)
                found = {name.lower(): value for name, value in answer.headers.items()}
        except HTTPError as error:
            error.close()
            raise
        except (URLError, OSError, ValueError) as error:
            raise PinError(
                f"the registry cannot be reached: {getattr(error, 'reason', error)}"
            ) from error
        if len(content) > LARGEST_MANIFEST:
            raise PinError("the answer is too large for a manifest")
        return found, content


def _explain(error: HTTPError) -> str:
    known = {
        404: "the registry has no such image or tag",
        429: "the registry takes no more requests for now",
        401: "the registry wants a password",
    }
    return known.get(error.code, f"the registry answers {error.code}")


def list_images(text: str, *, is_dockerfile: bool) -> Iterator[re.Match[str]]:
    """Yield where a file names an image of others.

    Those that Luna builds, stages and variables are none.
    """
    patterns = (_FROM, _ARGUMENT, _COPY) if is_dockerfile else (_IMAGE,)
    stages = {found["stage"] for found in _FROM.finditer(text)} if is_dockerfile else set()
    found = [match for pattern in patterns for match in pattern.finditer(text)]
    for match in sorted(found, key=lambda match: match.start("image")):
        image = match["image"]
        is_own = (
            image in stages or image == "scratch" or image.isdigit() or image.startswith("luna-")
        )
        if not is_own and "$" not in image:
            yield match


def pin_text(text: str, registries: Registries, *, is_dockerfile: bool) -> tuple[str, list[str]]:
    """Return a file's text with a digest behind each tag, and the failures.

    They are images whose digest cannot be read, each with why.
    """
    faults = []
    pieces = []
    end = 0
    for match in list_images(text, is_dockerfile=is_dockerfile):
        try:
            digest = registries.read_digest(ImageName.of(match["image"]))
        except PinError as error:
            faults.append(f"{match['image']}: {error}")
            continue
        pieces += [text[end : match.start("image")], f"{match['image'].partition('@')[0]}@{digest}"]
        end = match.end("image")
    return "".join((*pieces, text[end:])), faults


def check_text(text: str, pinned: str, *, is_dockerfile: bool) -> list[str]:
    """Return the images whose digest is missing or differs from that of their registry."""
    stated = [match["image"] for match in list_images(text, is_dockerfile=is_dockerfile)]
    current = [match["image"] for match in list_images(pinned, is_dockerfile=is_dockerfile)]
    faults = []
    for image, now in zip(stated, current, strict=True):
        if image != now:
            is_pinned = "@" in image
            fault = f"the registry has {now.partition('@')[2]}" if is_pinned else "is not pinned"
            faults.append(f"{image}: {fault}")
    return faults


def pin_files(paths: Iterable[Path], registries: Registries, *, check: bool) -> list[str]:
    """Pin the images of files, or compare them only; return what is wrong, by file and image."""
    faults = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        is_dockerfile = path.suffix not in (".yml", ".yaml")
        pinned, unread = pin_text(text, registries, is_dockerfile=is_dockerfile)
        found = [*unread, *(check_text(text, pinned, is_dockerfile=is_dockerfile) if check else [])]
        faults += [f"{path.name}: {fault}" for fault in found]
        if not check and not unread and pinned != text:
            _write(path, pinned)
    return faults


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all, with the rights that it has."""
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(unfinished).chmod(path.stat().st_mode & 0o777)
    Path(unfinished).replace(path)


def main(arguments: list[str] | None = None) -> int:
    """Pin the files' images, say what is wrong, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.pin_images",
        description="Write the digest of each image behind its tag.",
    )
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="default: every file of Luna that names images of others",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; fail where a digest is missing or differs",
    )
    parser.add_argument(
        "--default",
        default=os.environ.get(VARIABLE, ""),
        metavar="URL",
        help=f"registry of images that name none; default: {VARIABLE}",
    )
    options = parser.parse_args(arguments)
    paths = options.files or [ROOT / name for name in FILES]
    faults = pin_files(paths, Registries(options.default), check=options.check)
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    if faults and not options.check:
        sys.stderr.write("A file with an image that could not be read stays as it was.\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
