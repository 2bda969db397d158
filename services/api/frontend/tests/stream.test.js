// Server-sent events as they come: in whatever pieces, with whatever ends of lines.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createParser, textOf } from "../src/knowledge/stream.js";

const TEXT =
  'retry: 3000\n\n: still here\n\nevent: stage\ndata: {"stage": "tools"}\n\n' +
  "event: token\ndata: one\ndata: two\n\nevent: answer\ndata: {}\n\n";
const EVENTS = [
  { name: "stage", data: '{"stage": "tools"}' },
  { name: "token", data: "one\ntwo" },
  { name: "answer", data: "{}" },
];

for (const size of [1, 2, 3, 7, 1000]) {
  for (const end of ["\n", "\r\n"]) {
    const ends = JSON.stringify(end);
    test(`events in pieces of ${size} with lines that end as ${ends} are the same events`, () => {
      const text = TEXT.replaceAll("\n", end);
      const parse = createParser();
      const found = [];
      for (let begin = 0; begin < text.length; begin += size)
        found.push(...parse(text.slice(begin, begin + size)));
      assert.deepEqual(found, EVENTS);
    });
  }
}

test("an event that is cut off is none", () => {
  assert.deepEqual(createParser()("event: answer\ndata: {}\n"), []);
});

test("what is no document is text, and what has no such name is nothing", () => {
  assert.equal(textOf("plain", "text"), "plain");
  assert.equal(textOf('"quoted"', "text"), "quoted");
  assert.equal(textOf('{"text": "<b>"}', "text"), "<b>");
  assert.equal(textOf('{"other": 1}', "text"), "");
  assert.equal(textOf("null", "text"), "");
});
