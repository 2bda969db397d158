"""Address and credentials of the language model's server.

They serve answers, vectors and re-ranking alike.
"""

from luna.platform.settings import Settings


def server_headers(settings: Settings) -> dict[str, str]:
    """Return the headers of every request to the server: its key, where the settings hold one."""
    key = settings.language_key
    return {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}


def server_root(settings: Settings) -> str:
    """Return the server's address without the path of OpenAI's API, which some name with it."""
    return str(settings.language_url).rstrip("/").removesuffix("/v1")
