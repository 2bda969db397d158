"""What every answer tells the browser it must not do. Source: OWASP HTTP Headers Cheat Sheet; Mozilla Observatory."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from luna.settings import Settings

YEAR_SECONDS = 365 * 86_400


class SecureHeaders:
    """Adds headers that a route did not set more strictly itself."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self._app = app
        self._headers = list_headers(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                source = scope.get("state", {}).get("source")
                if source is not None and source.secure:
                    headers.setdefault("Strict-Transport-Security", f"max-age={YEAR_SECONDS}")
                if _is_about_somebody(scope):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_secured if scope["type"] == "http" else send)


def _is_about_somebody(scope: Scope) -> bool:
    # What one person is answered is not kept for the next one at the same browser or proxy.
    operation = scope.get("state", {}).get("operation")
    return operation is not None and (operation.scope != "public" or operation.path.startswith("/v1/auth/"))


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
