"""The sites that an asker has."""

from collections.abc import Collection

from luna.energy.refusals import refuse


def require_own(site: str, own: Collection[str] | None, *, field: str = "site") -> None:
    """Return where a site is one of the asker's.

    Args:
        site: its name.
        own: the asker's; None: every site is.
        field: what named it.

    Raises:
        NotFoundError: it is not; one that is not there at all is refused in the same words.
    """
    if own is not None and site not in own:
        raise refuse("no-such-site" if own else "no-site-of-yours", field=field, value=site, names=", ".join(sorted(own)))
