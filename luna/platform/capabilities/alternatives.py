"""What another decision, or another site, would have brought: asked of a plan, or of recorded days."""

from typing import Annotated

from pydantic import Field

from luna.contracts.counterfactual import Alternative, PlanVariantRequest, Variant, WhatIfRequest, WhatIfState, WhyNotRequest
from luna.contracts.message import Message
from luna.contracts.plan import Language
from luna.energy.errors import ConflictError
from luna.platform.capability import CapabilityCall, capability
from luna.platform.what_if_questions import read_state, submit_what_if

_NOUN = "alternatives"
_PLAN, _SHORT = "/v1/plans/{plan_id}", "/plans/{plan_id}"
NamedId = Annotated[str, Field(max_length=64, pattern=r"^[\w-]+$")]


class WhyNotQuestion(Alternative):
    """An alternative, and the language of the answer."""

    language: Language | None = None


class VariantQuestion(Message):
    """What is different, and the language of the answer; ``export_kwh`` is to be sold from the batteries when selling pays most."""

    variant: Variant
    export_kwh: Annotated[float | None, Field(gt=0, le=10_000)] = None
    language: Language | None = None


@capability(
    "POST",
    f"{_PLAN}/why-not",
    noun=_NOUN,
    scope="analyse",
    also=("why-not",),
    errors=(ConflictError,),
    aliases=(f"{_SHORT}/why-not",),
)
def ask_why_not(_: CapabilityCall, plan_id: NamedId, question: WhyNotQuestion) -> WhyNotRequest:
    """Say what an alternative to a plan would cost.

    Hold to the alternative, plan the rest anew from the plan's own inputs, and return what it costs more and which slots change.
    """
    alternative = Alternative.model_validate(question.model_dump(exclude={"language"}))
    return WhyNotRequest(plan_id=plan_id, alternative=alternative, language=question.language)


@capability(
    "POST",
    f"{_PLAN}/what-if",
    noun=_NOUN,
    scope="analyse",
    also=("what-if --plan",),
    errors=(ConflictError,),
    aliases=(f"{_SHORT}/what-if",),
)
def plan_variant(_: CapabilityCall, plan_id: NamedId, question: VariantQuestion) -> PlanVariantRequest:
    """Plan a plan again with something different.

    Return both plans' costs and the slots that change: same forecasts, same state, another tariff or other devices.
    """
    return PlanVariantRequest(plan_id=plan_id, variant=question.variant, export_kwh=question.export_kwh, language=question.language)


@capability(
    "POST",
    "/v1/what-ifs",
    noun=_NOUN,
    scope="analyse",
    also=("what-if",),
    status=202,
    location="/v1/what-ifs/{what_if_id}",
    aliases=("/what-if",),
)
def ask_what_if(call: CapabilityCall, question: WhatIfRequest) -> WhatIfState:
    """Ask what other equipment, tariffs or rules would have cost.

    Replay the site's recorded days as it is and under each variant, a job for each; the answer is read with `GET /v1/what-ifs/{what_if_id}`.
    """
    return submit_what_if(call.database(), call.queue(), question, now=call.now)


@capability("GET", "/v1/what-ifs/{what_if_id}", noun=_NOUN, scope="read", also=("what-if --id",), aliases=("/what-if/{what_if_id}",))
def read_what_if(call: CapabilityCall, what_if_id: NamedId) -> WhatIfState:
    """Read what came of a question.

    Return how its replays stand and, once all are done, months, savings, intervals and payback.
    """
    return read_state(call.connection, what_if_id)


ALTERNATIVES = (ask_why_not, plan_variant, ask_what_if, read_what_if)
