"""Define the base of a profile's parts, and what its addresses may be."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

PointName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=40)]
Register = Annotated[int, Field(ge=0, le=65535)]
RegisterTable = Literal["holding", "input"]
NumberType = Literal["int16", "uint16", "int32", "uint32", "uint64", "float32", "float64", "acc32"]
PointType = Literal[NumberType, "text"]


class ProfilePart(BaseModel):
    """A part of a profile; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


DocumentPlace = Annotated[str, Field(pattern=r"^[^\s+#]+$", max_length=255)]
