"""An answer as its page shows it: plain text with numbers that lead to passages, figures with their charts, and where they come from."""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from markupsafe import Markup

from luna.contracts.answers import Answer, AnswerSentence, Citation, Feedback, ToolCall
from luna.contracts.search import Passage
from luna.contracts.site_tools import Chart, ToolSource
from luna.words import Numbers
from luna.words.charts.answer import draw_answer_chart, say_start, say_value
from luna.words.pages import PageWords

_MARK = re.compile(r"\[(\d{1,3})\]")
# A chart's table tells at most so many rows; the address beside it gives all.
MOST_ROWS = 200
MOST_EXCERPT = 280


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line: words, or the number of a passage, with the place of the sentence that it carries."""

    text: str
    citation: Citation | None = None
    sentence: int | None = None


@dataclass(frozen=True, slots=True)
class CitedAnswerView:
    """An answer for its reader; ``base`` is the address of the page Knowledge of the site."""

    answer: Answer
    base: str
    numbers: Numbers
    words: PageWords
    feedback: Feedback | None = None

    @property
    def lines(self) -> list[list[Piece]]:
        """The answer's lines, each in pieces; where it has no numbers, those of its sentences stand behind each."""
        answer = self.answer
        text = answer.answer
        if answer.sentences and not any(_MARK.search(text) for _ in answer.citations[:1]):
            text = " ".join(each.text + "".join(f" [{number}]" for number in each.citations) for each in answer.sentences)
        citations = {citation.number: citation for citation in answer.citations}
        lines: list[list[Piece]] = []
        for line in filter(str.strip, text.splitlines()):
            pieces, end = list[Piece](), 0
            for mark in _MARK.finditer(line):
                citation = citations.get(int(mark[1]))
                if citation is None:
                    continue
                # The sentence that the number stands behind: of those that cite it the one that ends last before it.
                plain = {place: plain_words(each) for place, each in enumerate(answer.sentences) if citation.number in each.citations}
                ends = {place: begin + len(words) for place, words in plain.items() if (begin := line[: mark.start()].rfind(words)) >= 0}
                sentence = max(ends, key=lambda place: ends[place], default=None)
                pieces += [*([Piece(line[end : mark.start()])] if mark.start() > end else []), Piece(mark[1], citation, sentence)]
                end = mark.end()
            lines.append([*pieces, *([Piece(line[end:])] if end < len(line) else [])])
        return lines

    @property
    def tools(self) -> "list[ToolView]":
        """What was counted for it."""
        return [ToolView(call, self.numbers) for call in self.answer.tool_calls if call.found]

    @property
    def notes(self) -> list[str]:
        """What its reader should know of how it was made."""
        # Without a model anyway, what made it stands beside its time.
        usual = "answered_from_templates" if self.answer.model is None else None
        return [self.words("note_" + code) for code in self.answer.notes if self.words.knows("note_" + code) and code != usual]

    @property
    def caption(self) -> str:
        """When it was made, and by what."""
        at = self.answer.answered_at
        model = self.answer.model or self.words("no_model")
        return self.words("answered_by", day=self.numbers.day(at), time=self.numbers.clock(at), model=model)

    def address(self, source: Citation | Passage, sentence: int | None = None) -> str:
        """Return where a passage is read in its document; the words of a citation, or those of the sentence it carries, are marked there."""
        query: dict[str, Any] = {"page": source.page} if source.page is not None else {}
        query |= {"chunk": source.chunk_id}
        if isinstance(source, Citation):
            query |= {"answer": self.answer.answer_id, "source": source.number}
        if sentence is not None:
            query["sentence"] = sentence
        return f"{self.document_address(source.document_id)}?{urlencode(query)}#cited"

    def document_address(self, document_id: str) -> str:
        """Return where a document is read."""
        return f"{self.base}/documents/{quote(document_id, safe='')}"

    def place(self, source: Citation | Passage) -> str:
        """Return where in its document a passage stands."""
        page = [self.words("page_of", page=source.page)] if source.page is not None else []
        # One that is called as the document is said once.
        path = " › ".join(heading for heading in source.headings if heading != source.title)
        return " · ".join([*page, *([path] if path else [])])


def plain_words(sentence: AnswerSentence) -> str:
    """Return a sentence without the numbers behind it."""
    return _MARK.sub("", sentence.text).strip(" .")


@dataclass(frozen=True, slots=True)
class ToolView:
    """What a tool counted, as it is shown."""

    call: ToolCall
    numbers: Numbers

    @property
    def chart(self) -> Chart | None:
        """Its chart, None where it has nothing to draw."""
        chart = self.call.chart
        return chart if chart is not None and chart.starts and chart.series else None

    def draw(self) -> list[Markup]:
        """Return the chart for wide and for narrow screens."""
        return [draw_answer_chart(self.chart, self.numbers, narrow=narrow) for narrow in (False, True)] if self.chart else []

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """The chart's values as a table."""
        chart = self.chart
        if chart is None:
            return []
        columns = [[*series.values, *[None] * len(chart.starts)] for series in chart.series]
        units = [series.unit for series in chart.series]

        def cells(row: int) -> list[str]:
            return [say_value(column[row], unit, self.numbers) for column, unit in zip(columns, units, strict=True)]

        return [(say_start(start, chart, self.numbers), cells(row)) for row, start in enumerate(chart.starts[:MOST_ROWS])]

    @property
    def arguments(self) -> str:
        """What it was asked, in one line."""
        pairs = (f"{name} = {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}" for name, value in self.call.arguments.items())
        return ", ".join(pairs)

    def own_address(self, source: ToolSource) -> str | None:
        """Return the gateway's address of a source; None where it would lead elsewhere."""
        return source.path if source.path and re.fullmatch(r"/v1/[^\s\\]*", source.path) else None


def cut_excerpt(text: str, most: int = MOST_EXCERPT) -> str:
    """Return the beginning of a passage, whole words of it."""
    plain = " ".join(text.split())
    return plain if len(plain) <= most else plain[:most].rsplit(" ", 1)[0] + " …"
