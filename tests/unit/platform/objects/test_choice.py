from pathlib import Path

import pytest
from pydantic import SecretStr

from luna.energy.errors import MachineError
from luna.platform.objects import FileObjects, S3Objects, open_objects
from luna.platform.settings import Settings

SERVER = {"objects_url": "http://minio:9000", "objects_secret_key": SecretStr("do-not-tell-anyone")}


def test_without_a_server_objects_are_files_of_the_data_folder(tmp_path: Path) -> None:
    assert open_objects(Settings(data_folder=tmp_path)) == FileObjects(tmp_path / "objects")


def test_with_a_server_objects_are_in_its_bucket() -> None:
    store = open_objects(Settings(**SERVER, objects_bucket="attic", objects_region="garage"))
    assert store == S3Objects("http://minio:9000", "attic", "luna", "do-not-tell-anyone", "garage")


def test_the_password_is_not_shown() -> None:
    assert "do-not-tell-anyone" not in repr(open_objects(Settings(**SERVER)))


@pytest.mark.parametrize("password", [None, SecretStr("")], ids=["missing", "empty"])
def test_a_server_without_a_password_is_refused(password: SecretStr | None) -> None:
    with pytest.raises(MachineError, match="LUNA_OBJECTS_SECRET_KEY_FILE") as caught:
        open_objects(Settings(**SERVER | {"objects_secret_key": password}))
    assert caught.value.field == "LUNA_OBJECTS_SECRET_KEY"
