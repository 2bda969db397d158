"""Access control by site."""

from collections.abc import Collection

from luna.energy.refusals import refuse


def require_own(site: str, own: Collection[str] | None, *, field: str = "site") -> None:
    """Check that a user may access a site.

    Args:
        site: its name.
        own: the user's sites; None: all.
        field: the input field with the name.

    Raises:
        NotFoundError: the user may not; the error is the same for a site that does not exist.
    """
    if own is not None and site not in own:
        raise refuse(
            "no-such-site" if own else "no-site-of-yours",
            field=field,
            value=site,
            names=", ".join(sorted(own)),
        )
