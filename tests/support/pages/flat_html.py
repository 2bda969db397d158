"""HTML without the line breaks of its templates."""

import re


def flatten_html(page: str) -> str:
    """Return a page with single spaces, and none between tags or before a tag's end."""
    page = re.sub(r"\s+", " ", page)
    return re.sub(r" (/?>)", r"\1", page).replace("> <", "><")
