"""A site from a file of its owner's."""

from pathlib import Path

import yaml

from luna.energy.refusals import refuse
from luna.energy.site import Site, parse_site


def load_site(path: Path) -> Site:
    """Return the site a YAML file describes.

    Raises:
        InvalidInputError: the file is missing, no YAML, or describes no valid site.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise refuse("file-unreadable", field=str(path), why=exc.strerror) from exc
    except UnicodeDecodeError as exc:
        raise refuse("file-no-text", field=str(path)) from exc
    except yaml.YAMLError as exc:
        raise refuse("file-no-yaml", field=str(path), why=exc) from exc
    return parse_site(document, field=str(path))
