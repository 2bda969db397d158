import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { keepChosen } from "../src/home/chosen.js";
import { scales } from "../src/plan/axes.js";
import { tellingClockOf, ticks } from "../src/plan/clock.js";
import { numbersOf } from "../src/plan/numbers.js";
import { planOption } from "../src/plan/option.js";
import { boundsOf } from "../src/plan/price.js";
import { readout, sayInstant } from "../src/plan/readout.js";
import { bucketsOf, keepExtremes, levelFor } from "../src/plan/sampling.js";
import { findRuns, isGap, readScene } from "../src/plan/scene.js";
import { LOCAL_DAYS, WORDS, draw, timelineOf, viewOf } from "./days.js";

const RECORDINGS = fileURLToPath(new URL("recordings/", import.meta.url));
const IDS = [
  ...[
    "price-import",
    "price-import-predicted",
    "price-export",
    "price-import-range",
    "price-export-range",
    "price-import-negative",
    "price-export-negative",
  ],
  ...["flows", "band-pv", "band-load", "forecast-load", "forecast-pv", "power-zero"],
  ...[
    "soc-measured",
    "soc-planned",
    "soc-target",
    "soc-reserve",
    "soc-car",
    "soc-car-target",
    "soc-without",
    "soc-midnight",
    "mode",
    "cursor",
  ],
];
const byId = (option, id) => option.series.find((each) => each.id === id);
const sceneOf = (slots, parts) => readScene(timelineOf(slots, parts));

// The option as text: what draws is replaced by what it draws.
function describe(option, scene) {
  const series = option.series.map(({ renderItem, ...rest }) =>
    renderItem
      ? { ...rest, drawn: rest.data.map((_, i) => draw({ renderItem, ...rest }, i, scene)) }
      : rest,
  );
  const labels = option.xAxis[3].axisLabel;
  const shown = { ...labels, shown: labels.customValues.map(labels.formatter) };
  const xAxis = option.xAxis.map((axis, k) => (k === 3 ? { ...axis, axisLabel: shown } : axis));
  const plain = JSON.stringify({ ...option, series, xAxis }, (_, value) =>
    typeof value === "function" ? "function" : value,
  );
  // A line for each part, so that a difference says where it is.
  const parts = Object.entries(JSON.parse(plain)).flatMap(([name, part]) =>
    [part].flat().map((each) => `${name} ${JSON.stringify(each)}`),
  );
  return `${parts.join("\n")}\n`;
}

for (const slots of Object.keys(LOCAL_DAYS).map(Number)) {
  test(`the option of a day of ${slots} slots is as recorded`, async () => {
    const scene = sceneOf(slots);
    const text = describe(planOption(scene, viewOf(scene)), scene);
    const path = `${RECORDINGS}plan-${slots}.txt`;
    if (process.env.LUNA_RECORD === "1") await writeFile(path, text);
    assert.equal(text, await readFile(path, "utf8"));
  });

  test(`ticks of a day of ${slots} slots stand at full hours of the site's clock`, () => {
    const first = Date.parse(LOCAL_DAYS[slots]);
    const hours = ticks(first, first + slots * 9e5 - 1, 1, "Europe/Amsterdam");
    assert.equal(hours.length, slots / 4);
    assert.deepEqual(
      ticks(first, first + slots * 9e5, 24, "Europe/Amsterdam"),
      [first, first + slots * 9e5],
    );
  });
}

test("an hour that the clock shows twice is told apart by the zone's name", () => {
  const clock = tellingClockOf("Europe/Amsterdam", "en-GB");
  assert.deepEqual(
    ["2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-25T02:30Z"].map((text) =>
      clock(Date.parse(text)),
    ),
    ["02:30 CEST", "02:30 CET", "03:30"],
  );
});

test("a slot that the page chose is kept until it is over, the reader's until it is gone", () => {
  const hour = 36e5;
  const later = (scene, hours) => ({ ...scene, at: (slot) => scene.at(slot) + hours * hour });
  const scene = sceneOf(96);
  const [running, coming] = [scene.at(scene.past), scene.at(scene.past + 3)];
  for (const byReader of [false, true])
    assert.equal(keepChosen(coming, scene, { byReader }), coming);
  // An hour later it is over, and a day later out of sight.
  assert.equal(keepChosen(coming, later(scene, 1), { byReader: false }), running + hour);
  assert.equal(keepChosen(coming, later(scene, 1), { byReader: true }), coming);
  for (const byReader of [false, true])
    assert.equal(keepChosen(coming, later(scene, 48), { byReader }), running + 48 * hour);
});

test("ticks follow zones that are half an hour off", () => {
  // Midnight of Kolkata is 18:30 UTC.
  assert.deepEqual(
    ticks(Date.parse("2026-05-19T18:00Z"), Date.parse("2026-05-20T18:00Z"), 24, "Asia/Kolkata"),
    [Date.parse("2026-05-19T18:30Z")],
  );
});

test("series keep their ids whatever is shown, so that a refresh merges", () => {
  const scene = sceneOf(96);
  for (const parts of [
    {},
    { narrow: true },
    { ghosts: new Set() },
    { ghosts: new Set(["forecast", "midnight"]) },
    { width: 40 },
  ]) {
    assert.deepEqual(
      planOption(scene, viewOf(scene, parts)).series.map((each) => each.id),
      IDS,
    );
  }
});

// The latest plan was issued at 10:00; the ghost's at 23:45 of the day before, which is a Tuesday.
test("two plans of one slot are drawn as two lines and each is named by when it was issued", () => {
  const timeline = timelineOf(96);
  timeline.ghosts.midnight = {
    issued_at: "2026-05-19T21:45:00Z",
    soc: timeline.planned.soc.map((soc, i) => (soc == null ? 0.3 : soc - (i % 7) / 100)),
  };
  const scene = readScene(timeline);
  const view = viewOf(scene, { ghosts: new Set(["midnight", "forecast"]) });
  const option = planOption(scene, view);
  const [latest, older] = ["soc-planned", "soc-midnight"].map(
    (id) => new Map(byId(option, id).data),
  );
  const at = scene.at(61);
  // Slot 60 ends at 80 % by the latest plan; 60 mod 7 is 4, and so many points lower by the other.
  assert.ok(Math.abs(latest.get(at) - 80) < 1e-9 && Math.abs(older.get(at) - 76) < 1e-9);
  const words = {
    ...WORDS,
    planned: "planned",
    measured: "measured",
    plan_of: "Plan of {t}",
    house: "House",
    solar: "Solar",
    expected: "expected",
  };
  const row = readout(scene, 60, { ...view, words, level: "slot", priceDecimals: 0 });
  assert.equal(row.state, "planned, Sell · Plan of 10:00");
  assert.deepEqual(
    row.cells.filter(({ mark }) => mark === "dotted").map(({ name }) => name),
    ["House, expected", "Solar, expected", "Plan of Tue 23:45"],
  );
  assert.equal(row.cells.at(-1).value, "76%");
  const over = readout(scene, 20, { ...view, words, level: "slot", priceDecimals: 0 });
  assert.equal(over.state, "measured, Save");
  // What was expected then: 0.6 kW, where 0.5 kW were measured.
  assert.equal(over.cells.find(({ name }) => name === "House, expected").value, "0.6\u00a0kW");
});

test("the target of the battery is a step over its slots, with a cell of its own", () => {
  const scene = sceneOf(96);
  const view = viewOf(scene);
  const target = byId(planOption(scene, view), "soc-target");
  assert.equal(target.step, "end");
  // Slots 60 to 69 sell down to 20 %: the step ends with the last of them, and beside it is
  // nothing.
  const drawn = target.data.filter(([, value]) => value != null);
  assert.deepEqual(
    drawn.map(([at]) => (at - scene.start) / scene.step),
    [60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70],
  );
  assert.ok(drawn.every(([, value]) => value === 20));
  assert.deepEqual(target.data.at(-1), [scene.at(95), null]);
  const cellOf = (slot) =>
    readout(scene, slot, {
      ...view,
      words: { ...WORDS, plan_of: "{t}", target: "target" },
      level: "slot",
      priceDecimals: 0,
    }).cells.find(({ name }) => name === "target");
  assert.deepEqual([cellOf(65).value, cellOf(65).mark, cellOf(50).value], ["20%", "dashed", "–"]);
  const none = readScene({
    ...timelineOf(96),
    planned: { ...timelineOf(96).planned, target_soc: Array(96).fill(null) },
  });
  assert.ok(
    readout(none, 65, {
      ...view,
      words: { ...WORDS, plan_of: "{t}", target: "target" },
      level: "slot",
      priceDecimals: 0,
    }).cells.every(({ name }) => name !== "target"),
  );
});

test("each of two batteries has a line and a cell where the plan says something of it", () => {
  const device = (name, power, soc) => ({
    name,
    kind: "batteries",
    power_kw: Array(96).fill(power),
    capacity_kwh: 5,
    soc: Array(96).fill(soc),
  });
  const scene = readScene({
    ...timelineOf(96),
    devices: [device("cellar", 2.4, 0.52), device("garage", -0.6, 0.4)],
  });
  const option = planOption(scene, viewOf(scene));
  assert.deepEqual(byId(option, "soc-battery-1").data.at(-1), [scene.at(96), 40]);
  const cellsOf = (slot) =>
    readout(scene, slot, {
      ...viewOf(scene),
      words: { ...WORDS, plan_of: "{t}" },
      level: "slot",
      priceDecimals: 0,
    }).cells;
  const said = cellsOf(scene.past + 4)
    .filter(({ name }) => ["cellar", "garage"].includes(name))
    .map(({ value }) => value);
  assert.deepEqual(said, ["+2.4\u00a0kW · 52%", "−0.6\u00a0kW · 40%"]);
  // Measured they are together.
  assert.ok(cellsOf(scene.past - 4).every(({ name }) => name !== "cellar"));
  // A home with one has the line of all of them alone.
  assert.ok(
    planOption(sceneOf(96), viewOf(sceneOf(96))).series.every(
      ({ id }) => !id.startsWith("soc-battery"),
    ),
  );
});

test("an instant of another day is said with that day", () => {
  const scene = sceneOf(96);
  // The day is a Wednesday; the last slot of the row ends with it.
  assert.deepEqual(
    [60, 96].map((i) => sayInstant(scene, scene.at(i), "en-GB")),
    ["15:00", "Thu 00:00"],
  );
  // As the sentences of the page write it.
  assert.equal(sayInstant(scene, scene.at(96), "de"), "Do. 00:00");
});

test("bars end exactly where their slots do, planned ones half as dense", () => {
  const scene = sceneOf(96);
  const flows = byId(planOption(scene, viewOf(scene)), "flows");
  const [measured, planned] = [20, 60].map((i) => draw(flows, i, scene).children);
  // A minute is a pixel: slot 20 begins at 300 and leaves 14 % of its 15 as air.
  assert.deepEqual([measured[0].shape.x, measured[0].shape.width], [300, 15 * 0.86]);
  assert.equal(measured[0].style.fill, "<load>");
  assert.equal(planned[0].style.fill, "<load>80");
});

test("what uses and what supplies energy are equally long", () => {
  const scene = sceneOf(96);
  const flows = byId(planOption(scene, viewOf(scene)), "flows");
  for (const slot of [0, 30, 45, 80]) {
    const { load, heater, ev, charge, gridExport, pv, discharge, gridImport } = Object.fromEntries(
      Object.entries(scene.flows).map(([name, values]) => [name, values[slot] ?? 0]),
    );
    const tops = draw(flows, slot, scene).children.map(({ shape }) => [
      shape.y,
      shape.y + shape.height,
    ]);
    const used = load + heater + ev + charge + gridExport;
    const supplied = pv + discharge + gridImport;
    assert.ok(Math.abs(Math.min(...tops.flat()) - (100 - used * 10)) < 1e-9);
    assert.ok(Math.abs(Math.max(...tops.flat()) - (100 + supplied * 10)) < 1e-9);
  }
});

test("a gap is a gap: nothing is drawn, bridged or counted as zero", () => {
  const scene = sceneOf(96);
  const option = planOption(scene, viewOf(scene));
  assert.ok(isGap(scene, 10));
  assert.equal(draw(byId(option, "flows"), 10, scene).children.length, 0);
  assert.equal(byId(option, "soc-measured").data[10][1], null);
  assert.equal(byId(option, "soc-measured").connectNulls, false);
  const words = { ...WORDS, gap: "no data", measured: "measured" };
  const row = readout(scene, 10, { ...viewOf(scene), words, level: "slot", priceDecimals: 0 });
  assert.ok(row.state.startsWith("no data"));
  assert.ok(row.cells.filter(({ token }) => token === "load").every(({ value }) => value === "–"));
});

test("estimates are hatched, their figures are marked, and the legend has a key for them", () => {
  const [scene, plain] = [sceneOf(96, { estimated: [20] }), sceneOf(96)];
  const words = {
    ...WORDS,
    measured: "measured",
    estimated: "estimated",
    house: "House",
    solar: "Solar",
    plan_of: "{t}",
  };
  const option = planOption(scene, { ...viewOf(scene), words });
  const fillsOf = (slot) =>
    draw(byId(option, "flows"), slot, scene).children.map(({ style }) => style.fill);
  assert.deepEqual(
    [
      fillsOf(20).includes("hatch <load>"),
      fillsOf(20).includes("<load>"),
      fillsOf(21).includes("<load>"),
    ],
    [true, false, true],
  );
  const rowOf = (slot) =>
    readout(scene, slot, { ...viewOf(scene), words, level: "slot", priceDecimals: 0 });
  const figureOf = (row, name) => row.cells.find((cell) => cell.name === name).value;
  assert.equal(rowOf(20).state, "estimated, Save");
  assert.equal(rowOf(21).state, "measured, Save");
  assert.deepEqual(
    [figureOf(rowOf(20), "House"), figureOf(rowOf(21), "House")],
    ["≈\u00a00.5\u00a0kW", "0.5\u00a0kW"],
  );
  const legends = [scene, plain].map((each) =>
    JSON.stringify(planOption(each, { ...viewOf(each), words }).graphic).includes(
      "{note|estimated}",
    ),
  );
  assert.deepEqual(legends, [true, false]);
});

test("held-back solar is hatched outside the balance", () => {
  const scene = sceneOf(96);
  const shapes = draw(byId(planOption(scene, viewOf(scene)), "flows"), 50, scene).children;
  const held = shapes.find(({ style }) => style.fill === "hatch <pv>");
  assert.ok(Math.abs(held.shape.height - 10) < 1e-9);
});

test("slots narrower than two pixels become hours, then days, without losing extremes", () => {
  const scene = sceneOf(96);
  const view = viewOf(scene);
  assert.deepEqual(
    [192, 191, 47].map((width) => levelFor(scene, { ...view, width })),
    ["slot", "hour", "day"],
  );
  const hours = bucketsOf(scene, "hour");
  assert.ok(hours.some(([from]) => from === scene.past));
  assert.ok(hours.every(([from, to]) => to - from <= 4));
  const peak = Array.from({ length: 96 }, (_, i) => (i === 33 ? 9 : i === 34 ? -9 : 0));
  const kept = keepExtremes(peak, hours).map(([, value]) => value);
  assert.ok(kept.includes(9) && kept.includes(-9));
  assert.equal(
    byId(planOption(scene, { ...view, width: 100 }), "price-import-range").data.length,
    hours.length,
  );
});

test("means of hours never mix what is over with what is to come", () => {
  const scene = sceneOf(96, { past: 41 });
  assert.ok(bucketsOf(scene, "hour").every(([from, to]) => to <= 41 || from >= 41));
});

test("prices have the height of their axis, below zero as well", () => {
  const scene = sceneOf(96);
  /** @param {number[]} prices */
  const axisOf = (prices) => {
    const [{ min, max }] = scales({ ...scene, importPrice: prices, exportPrice: prices });
    return [min, max];
  };
  assert.deepEqual(
    [axisOf([0.22, 0.42]), axisOf([0.08, 0.42]), axisOf([-0.12, 0.3]), axisOf([0.3, 0.3])],
    [
      [20, 45],
      [0, 50],
      [-20, 30],
      [28, 32],
    ],
  );
});

test("a slot is dear beside the others of its day, not the whole day", () => {
  const normal = [
    ...Array(28).fill(0.22),
    ...Array(40).fill(0.3),
    ...Array(12).fill(0.42),
    ...Array(16).fill(0.3),
  ];
  const { cheap, dear } = boundsOf(normal);
  assert.deepEqual(
    [normal.filter((v) => v <= cheap).length, normal.filter((v) => v >= dear).length],
    [28, 12],
  );
  const flat = boundsOf(Array(96).fill(0.3));
  assert.ok(flat.cheap < 0.3 && flat.dear > 0.3);
});

test("scales widen in whole steps", () => {
  const scene = sceneOf(96);
  assert.deepEqual(scales(scene)[1], { min: -10, max: 10, interval: 5 });
  const dear = { ...scene, importPrice: scene.importPrice.map((price) => price * 3) };
  // The dearest is 99 ct.
  assert.equal(scales(dear)[0].max, 100);
  const strong = { ...scene, flows: { ...scene.flows, ev: scene.flows.ev.map(() => 11) } };
  const [, power] = scales(strong);
  assert.ok(power.max >= 11.5 && power.max === -power.min);
});

test("runs end where the mode, the decider or the past does", () => {
  const runs = findRuns({
    modes: ["save", "save", "save", "export", null, "export"],
    deciders: ["planner", "owner", "owner", "owner", null, "planner"],
    past: 2,
  });
  assert.deepEqual(
    runs.map(({ from, to }) => [from, to]),
    [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
      [5, 6],
    ],
  );
});

test("what the agent decided is a run of its own", () => {
  const runs = findRuns({
    modes: ["export", "export", "export"],
    deciders: ["planner", "agent", "agent"],
    past: 3,
  });
  assert.deepEqual(
    runs.map(({ from, to, agent }) => [from, to, agent]),
    [
      [0, 1, false],
      [1, 3, true],
    ],
  );
});

test("numbers have a true minus, never a minus zero, and units behind a no-break space", () => {
  const numbers = numbersOf({
    locale: "de-DE",
    priceScale: 100,
    priceUnit: "ct",
    priceDecimals: 0,
  });
  assert.equal(numbers.price(-0.154), "−15\u00a0ct");
  assert.equal(numbers.price(-0.001), "0\u00a0ct");
  assert.equal(numbers.signedPower(4.44), "+4,4\u00a0kW");
  assert.equal(numbers.power(null), "–");
});

test("drawing does not change the scene", () => {
  const scene = sceneOf(96);
  const before = JSON.stringify(scene);
  planOption(scene, viewOf(scene));
  assert.equal(JSON.stringify(scene), before);
});
