"""Define how a product is recognised: registers, documents or SunSpec models."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from luna.drivers.json_values import look_up, put_at
from luna.drivers.points import DeviceIdentity
from luna.drivers.profile_part import (
    DocumentPlace,
    NumberType,
    ProfilePart,
    Register,
    RegisterTable,
)
from luna.drivers.transports import DocumentFormat
from luna.energy.refusals import invalid_part


class ProductText(ProfilePart):
    """Texts about the product in SunSpec model 1."""

    maker: Annotated[str, Field(min_length=1, max_length=32)]
    models: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=32)], ...],
        Field(min_length=1, description="its model contains one of them"),
    ]

    def matches_identity(self, identity: DeviceIdentity) -> bool:
        """Return whether a device says that it is this product."""
        model = identity.model.casefold()
        if identity.maker.casefold() != self.maker.casefold():
            return False
        return any(text.casefold() in model for text in self.models)


class IdentityNumber(ProfilePart):
    """A number that a product says of itself, such as the code of its model."""

    register_: Annotated[Register, Field(alias="register")]
    table: Annotated[
        RegisterTable | None, Field(description="where it is read; empty: the transport's")
    ] = None
    type: NumberType
    ranges: Annotated[
        tuple[tuple[int, int], ...],
        Field(min_length=1, description="of one of which it has to be, both ends included"),
    ]


class IdentityText(ProfilePart):
    """A text that a product says of itself."""

    register_: Annotated[Register, Field(alias="register")]
    table: Annotated[
        RegisterTable | None, Field(description="where it is read; empty: the transport's")
    ] = None
    count: Annotated[int, Field(ge=1, le=60, description="registers, of two letters each")]
    text: Annotated[re.Pattern[str], Field(description="all of it, as a regular expression")]
    names: Annotated[
        Literal["model", "serial"] | None, Field(description="what it is; empty: neither")
    ] = None
    example: Annotated[
        str, Field(min_length=1, max_length=120, description="what the simulator says")
    ]


class IdentityField(ProfilePart):
    """Field of a JSON document that identifies a product.

    A number, true and false by their letters. A group ``found`` of the expression is the name.
    """

    at: Annotated[
        DocumentPlace,
        Field(
            description=(
                "the document: a path of HTTP, or a topic of MQTT that begins as those of the "
                "device do"
            )
        ),
    ]
    field_: Annotated[
        str,
        Field(
            alias="field", max_length=255, description="names with dots between; empty: all of it"
        ),
    ] = ""
    documents: Annotated[
        DocumentFormat | None,
        Field(description="its format, where it is another than the transport's"),
    ] = None
    text: Annotated[re.Pattern[str], Field(description="all of it, as a regular expression")]
    names: Annotated[
        Literal["model", "serial"] | None, Field(description="what it is; empty: neither")
    ] = None
    example: Annotated[bool | int | str, Field(description="what the simulator says")]

    def read(self, document: Any) -> str | None:
        """Return the document's value as text, None where it is another product's."""
        value = look_up(document, self.field_)
        document_text = value if isinstance(value, str) else json.dumps(value)
        match = self.text.fullmatch(document_text)
        if match is None:
            return None
        return match.groupdict().get("found", document_text)


class ProductIdentity(ProfilePart):
    """Identity of a product without SunSpec: all of these fields must match."""

    units: Annotated[
        tuple[Annotated[int, Field(ge=0, le=255)], ...],
        Field(description="numbers on the bus to look at beside the transport's"),
    ] = ()
    registers: Annotated[
        tuple[IdentityNumber | IdentityText, ...], Field(description="over Modbus")
    ] = ()
    documents: Annotated[tuple[IdentityField, ...], Field(description="over HTTP and MQTT")] = ()
    prefix: Annotated[
        re.Pattern[str] | None,
        Field(
            description=(
                "MQTT: how the topics of such a device begin, as a regular expression; empty: "
                "anyhow"
            )
        ),
    ] = None

    @model_validator(mode="after")
    def _has_fitting_examples(self) -> Self:
        for rule in self.registers:
            if isinstance(rule, IdentityText) and not rule.text.fullmatch(rule.example):
                raise invalid_part("profile-example", place=str(rule.register_))
        for field in self.documents:
            if field.read(put_at(None, field.field_, field.example)) is None:
                raise invalid_part("profile-example", place=field.at)
        return self

    def read_documents(self, documents: Mapping[str, Any], maker: str) -> DeviceIdentity | None:
        """Return a device's identity from documents by their places, None for another product."""
        texts = {rule: rule.read(documents.get(rule.at)) for rule in self.documents}
        if None in texts.values():
            return None
        named = {rule.names: text for rule, text in texts.items()}
        return DeviceIdentity(
            maker=maker,
            model=named.get("model") or "",
            version="",
            serial=named.get("serial") or "",
        )


class SunSpecMap(ProfilePart):
    """Models that identify the product, and their lengths in the simulator."""

    identified_by: Annotated[
        tuple[int, ...], Field(min_length=1, description="models of which it has to have one")
    ]
    lengths: Annotated[
        Mapping[int, Annotated[int, Field(ge=1, le=1000)]],
        Field(description="without ID and length"),
    ]
    product: Annotated[
        ProductText | None,
        Field(
            description=(
                "searching, this profile is for that product alone, and before those for any"
            )
        ),
    ] = None
    base: Register = 40000
    units: Annotated[
        tuple[Annotated[int, Field(ge=0, le=255)], ...],
        Field(description="numbers on the bus to look at beside the transport's"),
    ] = ()
