"""What goes with a simulated home beside what stands in the database."""

from luna.platform.settings import Settings
from luna.platform.settings.stored import store_settings
from luna.platform.simulated_home.files import HomeFiles


def let_go(settings: Settings, files: HomeFiles) -> None:
    """Let Luna listen to its broker no more, and remove its files, the truth with them: nobody starts it any more."""
    store_settings(settings, {"mqtt_url": None})
    files.remove()
