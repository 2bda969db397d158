"""Documents through the containers: handed over, read by a process without a network, found in Qdrant, answered from, and gone again."""

import io
import time
import zipfile

import httpx

SENTENCE = "Der Sommerbonus von Musterstrom beträgt 47 Euro und wird im September ausgezahlt."
TARIFF = f"# Tarifblatt Musterstrom\n\n## Bonus\n\n{SENTENCE}\n\n## Kündigung\n\nDie Kündigungsfrist beträgt vier Wochen zum Monatsende.\n"


def hand_over(api: httpx.Client, name: str, content: bytes) -> list[dict[str, object]]:
    """Upload a file, wait until it is read, and return its documents."""
    accepted = api.post("/v1/documents", files={"file": (name, content)}).raise_for_status().json()
    job_id = accepted["job"]["job_id"]
    deadline = time.monotonic() + 120
    while (job := api.get(f"/v1/jobs/{job_id}").raise_for_status().json())["status"] in ("queued", "running"):
        assert time.monotonic() < deadline, job
        time.sleep(0.3)
    assert job["status"] == "done", job
    documents: list[dict[str, object]] = job["reply"]["documents"]
    return documents


def test_a_document_is_read_found_answered_from_and_gone_again(api: httpx.Client) -> None:
    (document,) = hand_over(api, "tarif.md", TARIFF.encode())
    assert (document["state"], document["current"], document["language"]) == ("searchable", True, "de")
    found = api.post("/v1/search", json={"query": "Wie hoch ist der Sommerbonus?"}).raise_for_status().json()
    # The models come with a profile of their own: without them words find, in Qdrant as well.
    assert (found["retriever"], found["passages"][0]["document_id"]) == ("sparse", document["document_id"])
    answer = api.post("/rag/ask", json={"question": "Wie hoch ist der Sommerbonus von Musterstrom?"}).raise_for_status().json()
    assert not answer["refused"]
    assert "47 Euro" in answer["answer"]
    assert answer["citations"][0]["document_id"] == document["document_id"]
    api.delete(f"/v1/documents/{document['document_id']}").raise_for_status()
    found = api.post("/v1/search", json={"query": "Wie hoch ist der Sommerbonus?"}).raise_for_status().json()
    assert document["document_id"] not in {passage["document_id"] for passage in found["passages"]}


def test_a_hostile_file_ends_as_a_reason_and_the_next_one_is_read(api: httpx.Client) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.txt", bytes(400_000_000))
    (failed,) = hand_over(api, "bomb.zip", bomb.getvalue())
    assert (failed["state"], failed["fault"]["code"]) == ("failed", "too_large")  # type: ignore[index]
    (read,) = hand_over(api, "manual.html", b"<h1>Manual</h1><p>Keep the battery above five degrees.</p>")
    assert read["state"] == "searchable"
