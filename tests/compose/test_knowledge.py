"""Documents through the containers that are out for harm: read by a process without a network, in
little memory.
"""

import io
import zipfile

from tests.compose.jobs import Jobs


def test_a_hostile_file_ends_as_a_reason_and_the_next_one_is_read(jobs: Jobs) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.txt", bytes(400_000_000))
    (failed,) = jobs.read_file("bomb.zip", bomb.getvalue())
    assert (failed["state"], failed["fault"]["code"]) == ("failed", "too_large")
    (read,) = jobs.read_file(
        "manual.html", b"<h1>Manual</h1><p>Keep the battery above five degrees.</p>"
    )
    assert read["state"] == "searchable"
