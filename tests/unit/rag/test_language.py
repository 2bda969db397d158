"""The language model's port against a server that speaks both protocols and fails the ways servers
do.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from luna.energy.errors import UnavailableError
from luna.platform.settings import Settings
from services.rag.language import ChatMessage, GaveUpError, LanguageModel, open_language
from tests.support.answers.language_model_server import Fault, LanguageServer, language_server
from tests.support.suite.tables import each_row

QUESTION = (ChatMessage("system", "Be brief."), ChatMessage("user", "What is it?"))
BOTH = pytest.mark.parametrize("api", ["ollama", "openai"])


@pytest.fixture
def server() -> Iterator[LanguageServer]:
    with language_server() as running:
        yield running


def open_model(server: LanguageServer, api: str, **settings: Any) -> LanguageModel:
    model = open_language(
        Settings(
            **{
                "language_url": server.url,
                "language_api": api,
                "language_model": "tiny",
                **settings,
            }
        )
    )
    assert model is not None
    return model


def test_without_an_address_there_is_no_model() -> None:
    assert open_language(Settings(language_url=None)) is None


@each_row(
    ("url", "api"),
    [
        ("http://ollama:11434", "ollama"),
        ("http://ollama:11434/", "ollama"),
        ("https://host/v1", "openai"),
        ("https://host/api/v1/", "openai"),
    ],
)
def test_the_protocol_follows_from_the_address(url: str, api: str) -> None:
    assert Settings(language_url=url).language_api == api


@BOTH
def test_pieces_are_told_as_they_come_and_tokens_are_counted(
    server: LanguageServer, api: str
) -> None:
    heard: list[str] = []
    said = open_model(server, api).generate(QUESTION, on_text=heard.append, gave_up=lambda: False)
    # 18 characters, eight at a time: three pieces.
    assert (len(heard), "".join(heard)) == (3, "A fine answer [1].")
    assert (said.text, said.prompt_tokens, said.answer_tokens) == ("A fine answer [1].", 11, 7)
    assert said.first_token_seconds is not None
    assert server.requests[0]["model"] == "tiny"
    assert server.requests[0]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is it?"},
    ]


def test_the_key_goes_to_the_server_and_into_no_representation(server: LanguageServer) -> None:
    model = open_model(server, "openai", language_key=SecretStr("very-secret"))
    model.generate(QUESTION, on_text=lambda _: None, gave_up=lambda: False)
    assert server.headers[0]["Authorization"] == "Bearer very-secret"
    assert "very-secret" not in repr(model)


@BOTH
@pytest.mark.parametrize(
    "fault", ["refuses", "breaks_off", "no_json", "other_form", "endless", "endless_line", "silent"]
)
def test_whatever_a_server_does_wrong_is_an_unavailable_model(
    server: LanguageServer, api: str, fault: Fault
) -> None:
    server.fault = fault
    model = open_model(server, api, language_timeout=timedelta(seconds=1))
    with pytest.raises(UnavailableError) as refused:
        model.generate(QUESTION, on_text=lambda _: None, gave_up=lambda: False)
    assert not isinstance(refused.value, GaveUpError)


def test_a_server_that_is_not_there_is_an_unavailable_model() -> None:
    model = open_language(Settings(language_url="http://127.0.0.1:9"))
    assert model is not None
    with pytest.raises(UnavailableError, match="away"):
        model.generate(QUESTION, on_text=lambda _: None, gave_up=lambda: False)


@BOTH
@pytest.mark.parametrize("fault", ["silent", "stalls"])
def test_who_gives_up_ends_the_generation_and_the_server_hears_of_it(
    server: LanguageServer, api: str, fault: Fault
) -> None:
    server.fault = fault
    with pytest.raises(GaveUpError):
        open_model(server, api).generate(
            QUESTION, on_text=lambda _: None, gave_up=lambda: bool(server.requests)
        )
    assert server.left.wait(10)


def test_the_next_question_is_answered_once_the_server_is_well_again(
    server: LanguageServer,
) -> None:
    model = open_model(server, "ollama", language_concurrency=1)
    server.fault = "refuses"
    with pytest.raises(UnavailableError):
        model.generate(QUESTION, on_text=lambda _: None, gave_up=lambda: False)
    server.fault = "none"
    assert (
        model.generate(QUESTION, on_text=lambda _: None, gave_up=lambda: False).text
        == "A fine answer [1]."
    )
