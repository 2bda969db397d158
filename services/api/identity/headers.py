"""What every answer tells the browser it must not do. Source: OWASP HTTP Headers Cheat Sheet; Mozilla Observatory."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from luna.platform.settings import Settings

YEAR_SECONDS = 365 * 86_400


class SecureHeaders:
    """Adds headers that a route did not set more strictly itself.

    Every answer passes here, so the headers are kept as the bytes that are sent.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self._app = app
        self._headers = [_encode(name, value) for name, value in list_headers(settings).items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                present, state = {name for name, _ in message["headers"]}, scope.get("state", {})
                headers, source, operation = [*self._headers], state.get("source"), state.get("operation")
                if source is not None and source.secure:
                    headers.append(_HTTPS_ONLY)
                # What one person is answered is not kept for the next one at the same browser or proxy.
                if operation is not None and (operation.scope != "public" or operation.path.startswith("/v1/auth/")):
                    headers.append(_NO_STORE)
                message["headers"] = [*message["headers"], *(header for header in headers if header[0] not in present)]
            await send(message)

        await self._app(scope, receive, send_secured if scope["type"] == "http" else send)


def _encode(name: str, value: str) -> tuple[bytes, bytes]:
    return name.lower().encode("latin-1"), value.encode("latin-1")


_HTTPS_ONLY = _encode("Strict-Transport-Security", f"max-age={YEAR_SECONDS}")
_NO_STORE = _encode("Cache-Control", "no-store")


def list_headers(settings: Settings) -> dict[str, str]:
    """Return the headers of every answer."""
    ancestors = f"'{settings.frame_ancestors}'"
    return {
        "Content-Security-Policy": (
            f"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
        ),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY" if settings.frame_ancestors == "none" else "SAMEORIGIN",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
