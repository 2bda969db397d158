"""Address and headers of the language model's server, for answers, vectors and re-ranking."""

from luna.platform.settings import Settings


def server_headers(settings: Settings) -> dict[str, str]:
    """Return the headers of requests to the server, with its key if the settings have one."""
    key = settings.language_key
    return {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}


def server_root(settings: Settings) -> str:
    """Return the server's address without the path of OpenAI's API, which settings may have."""
    return str(settings.language_url).rstrip("/").removesuffix("/v1")
