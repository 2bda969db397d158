"""Choose the store of objects by the settings.

Objects are files, or in a bucket of an S3 server.
"""

from typing import TYPE_CHECKING

from luna.energy.errors import MachineError
from luna.platform.objects.s3 import S3Objects
from luna.platform.objects.store import FileObjects, ObjectStore, StoredObject

if TYPE_CHECKING:
    # Only named here: the program that knocks at the S3 server starts several times faster without
    # the settings' library.
    from luna.platform.settings import Settings

__all__ = ["FileObjects", "ObjectStore", "S3Objects", "StoredObject", "open_objects"]


def open_objects(settings: "Settings") -> ObjectStore:
    """Return the store that the settings name.

    Nothing is asked of it yet, so a process may still fork.

    Raises:
        MachineError: the S3 server's settings are incomplete, or its address is none.
    """
    if settings.objects_url is None:
        return FileObjects(settings.data_folder / "objects")
    secret = settings.objects_secret_key.get_secret_value() if settings.objects_secret_key else ""
    if not secret:
        remedy = "Set it, or LUNA_OBJECTS_SECRET_KEY_FILE to the file that holds it."
        raise MachineError(
            "the S3 server's user needs a password", field="LUNA_OBJECTS_SECRET_KEY", remedy=remedy
        )
    return S3Objects(
        url=settings.objects_url,
        bucket=settings.objects_bucket,
        access_key=settings.objects_access_key,
        secret_key=secret,
        region=settings.objects_region,
    )
