"""From the shares of each reason to the message about them: mean powers, and words that are true of the slot."""

from dataclasses import dataclass
from datetime import datetime

from luna.contracts.explanation import Contribution, SeriesExplanation
from luna.wording import Numbers
from luna.wording.differences import LEAST_KW, Difference, SeriesName, describe_difference, describe_slot
from services.forecaster.explanation.explanation import SLOTS_PER_HOUR, Explanation, Facts

DUST_KW = 1e-9  # what is left of a sum of floats is no reason
NAMED = 3  # reasons in a sentence; more are not read


@dataclass(frozen=True, slots=True)
class SeriesWords:
    """A series explained, and the facts that words about it must agree with."""

    name: SeriesName
    explanation: Explanation
    facts: Facts

    def describe(self, row: int, start: datetime, numbers: Numbers) -> SeriesExplanation:
        """Return one slot in figures and words, the largest contribution first."""
        expected, usual = (SLOTS_PER_HOUR * float(values[row]) for values in (self.explanation.expected_kwh, self.explanation.usual_kwh))
        told = [self._tell(difference, start, numbers) for difference in self._list_differences(row)]
        reasons = [contribution.text for contribution in told if abs(contribution.kw) >= LEAST_KW]
        return SeriesExplanation(
            expected_kw=expected,
            usual_kw=usual,
            contributions=told,
            text=describe_slot(expected, usual, reasons[:NAMED], numbers=numbers),
        )

    def _list_differences(self, row: int) -> list[Difference]:
        shares = ((code, SLOTS_PER_HOUR * float(share[row])) for code, share in self.explanation.shares_kwh.items())
        found = [Difference(code, kw, self.facts.of(code, row)) for code, kw in shares if abs(kw) >= DUST_KW]
        return sorted(found, key=lambda difference: -abs(difference.kw))

    def _tell(self, difference: Difference, start: datetime, numbers: Numbers) -> Contribution:
        text = describe_difference(difference, series=self.name, start=start, numbers=numbers)
        return Contribution(code=difference.code, kw=difference.kw, text=text)
