// Five panels on one time axis, their scales and their titles.
import { ticks, zoned } from "./clock.js";
import { GRID, LINE } from "./marks.js";
import { isEstimated } from "./scene.js";

/** @import { Token } from "../home/look.js" */
/** @import { Scene } from "./scene.js" */
/** @import { Drawing, PlanOption } from "./types.d.ts" */

/** @typedef {{ left: number, right: number, top: number, height: number }} Panel */
/** @typedef {{ min: number, max: number, interval: number }} Scale */

const LABEL_PIXELS = 66;
const HOUR = 36e5;

/** @type {(narrow: boolean) => { grid: Panel[], height: number }} */
export function grids(narrow) {
  const heights = narrow ? [92, 184, 96, 25] : [112, 232, 116, 25];
  // Half of the last label stands beyond the axis.
  const [left, right] = narrow ? [32, 16] : [44, 18];
  let top = 56;
  const panels = heights.map((height, k) => {
    const panel = { left, right, top, height };
    top += height + (k === GRID.soc ? 10 : 32);
    return panel;
  });
  const bottom = panels[GRID.mode].top + panels[GRID.mode].height;
  return { grid: [...panels, { left, right, top: 20, height: bottom - 20 }], height: bottom + 28 };
}

// Hours between labels: as many as there is room for.
/** @type {(view: { width: number, from: number, to: number }) => number} */
export function tickHours({ width, from, to }) {
  return (
    [1, 3, 6, 12, 24].find((hours) => (width * hours) / ((to - from) / HOUR) >= LABEL_PIXELS) ?? 24
  );
}

/** @type {(c: Drawing) => Pick<PlanOption, "xAxis" | "yAxis">} */
export function axes(c) {
  const { scene, paint, narrow, locale, clock } = c;
  const [first, last] = [scene.at(0), scene.at(scene.count)];
  const marks = ticks(first, last, tickHours(c), scene.timeZone);
  const midnights = new Set(ticks(first, last, 24, scene.timeZone));
  const date = zoned(scene.timeZone, locale, {
    weekday: "short",
    day: "numeric",
    month: narrow ? "numeric" : "short",
  });
  const muted = { color: paint.color("muted"), fontSize: 11 };
  const rule = { lineStyle: { color: paint.color("line") } };
  const labels = {
    ...muted,
    customValues: marks,
    showMinLabel: true,
    showMaxLabel: true,
    hideOverlap: true,
    margin: 8,
    formatter: (/** @type {number} */ t) => (midnights.has(t) ? `{day|${date(t)}}` : clock(t)),
    rich: { day: { color: paint.color("text"), fontWeight: 600, fontSize: 11 } },
  };
  /** @type {PlanOption["xAxis"]} */
  const xAxis = Object.values(GRID).map((k) => ({
    id: `x${k}`,
    type: "time",
    gridIndex: k,
    min: first,
    max: last,
    axisLine: { show: false },
    axisTick: { show: false, customValues: marks },
    splitLine: { ...rule, show: k < GRID.mode, customValues: marks },
    axisLabel: k === GRID.mode ? labels : { show: false },
    axisPointer: {
      show: k !== GRID.all,
      snap: false,
      lineStyle: { color: paint.color("muted"), type: "solid" },
      label: { show: false },
    },
  }));
  /** @type {Array<(value: number) => string>} */
  const signed = [(v) => String(v).replace("-", "−"), (v) => String(Math.abs(v)), String];
  /** @type {PlanOption["yAxis"]} */
  const yAxis = scales(scene).map((scale, k) => ({
    id: `y${k}`,
    gridIndex: k,
    type: "value",
    splitLine: rule,
    axisLabel: { ...muted, margin: 6, formatter: signed[k] },
    ...scale,
  }));
  return { xAxis, yAxis };
}

// What a price axis spans at least, currency/kWh, and its steps, about.
const LEAST_PRICE_SPAN = 0.04;
const PRICE_STEPS = 5;

// Prices over what they reach; power widened in whole steps by what there is to draw. Zoom never
// narrows them.
/** @param {Pick<Scene, "importPrice" | "exportPrice" | "priceScale" | "flows" | "bands">} scene */
export function scales({ importPrice, exportPrice, priceScale, flows, bands }) {
  const prices = [...importPrice, ...exportPrice]
    .filter((v) => v != null)
    .map((v) => v * priceScale);
  const hidden = { min: 0, max: 1, show: false };
  return [
    fitPrices(prices, LEAST_PRICE_SPAN * priceScale),
    widenEvenly(flows, bands),
    { min: 0, max: 100, interval: 50 },
    hidden,
    hidden,
  ];
}

// Over what the prices reach, and from zero where that does not squeeze them; the same as on the
// charts without scripts.
/** @type {(values: number[], leastSpan: number) => Scale} */
function fitPrices(values, leastSpan) {
  let low = values.length ? Math.min(...values) : 0;
  let high = values.length ? Math.max(...values) : 0;
  const short = Math.max(leastSpan - (high - low), 0) / 2;
  if (low < 0 || low > leastSpan) low -= short;
  high += short;
  // Half of the height is left to the prices where it begins at zero.
  if (low > 0 && low < high - low) low = 0;
  const interval = roundStep((high - low) / PRICE_STEPS);
  return {
    min: rounded(Math.floor(low / interval + 1e-9) * interval),
    max: rounded(Math.ceil(high / interval - 1e-9) * interval),
    interval,
  };
}

// The first of one, two and five times a power of ten that is no less.
/** @param {number} least */
function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return rounded(
    [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least * (1 - 1e-9)) ??
      10 * power,
  );
}

/** @param {number} value */
function rounded(value) {
  return Number(value.toPrecision(12));
}

/** @type {(flows: Scene["flows"], bands: Scene["bands"]) => Scale} */
function widenEvenly(flows, bands) {
  /** @type {(names: Array<keyof Scene["flows"]>, i: number) => number} */
  const total = (names, i) => names.reduce((sum, name) => sum + (flows[name][i] ?? 0), 0);
  /** @type {Array<Array<keyof Scene["flows"]>>} */
  const sides = [
    ["load", "heater", "ev", "charge", "gridExport"],
    ["pv", "curtailed", "evGiven", "discharge", "gridImport"],
  ];
  const highs = flows.load.map((_, i) =>
    Math.max(
      ...sides.map((names) => total(names, i)),
      bands.load.high[i] ?? 0,
      bands.pv.high[i] ?? 0,
    ),
  );
  const most = Math.max(...highs, 0);
  const interval = most <= 10 ? 5 : niceStep(most);
  const edge = Math.max(10, Math.ceil(most / interval) * interval);
  return { min: -edge, max: edge, interval };
}

// One, two or five times a power of ten, so that two or three steps reach the value.
/** @param {number} value */
function niceStep(value) {
  const power = 10 ** Math.floor(Math.log10(value / 2));
  return (
    [1, 2, 5, 10].map((factor) => factor * power).find((step) => value / step <= 3) ?? 10 * power
  );
}

/** @type {(drawing: Drawing, grid: Panel[]) => PlanOption["graphic"]} */
export function titles({ scene, words, narrow, ghosts, paint }, grid) {
  /** @param {object} style */
  const box = (style) => ({
    width: 12,
    height: 9,
    borderRadius: 2,
    borderWidth: 1,
    borderColor: paint.color("line-strong"),
    ...style,
  });
  /** @param {Token} name */
  const dash = (name) => ({ fill: paint.color(name), font: paint.font(700, 11) });
  const rich = {
    title: { fill: paint.color("text"), font: paint.font(600, 12) },
    note: { fill: paint.color("muted"), font: paint.font(400, 11) },
    cheap: box({ backgroundColor: paint.color("cheap") }),
    dear: box({ backgroundColor: paint.color("dear") }),
    reserve: box({ backgroundColor: paint.color("sunken") }),
    solid: box({ backgroundColor: paint.color("pv"), borderWidth: 0 }),
    light: box({ backgroundColor: paint.alpha("pv", 0.5), borderWidth: 0 }),
    band: box({ backgroundColor: paint.alpha("pv", 0.2), borderColor: paint.color("pv") }),
    held: box({ borderColor: paint.color("pv"), borderDash: [2, 2] }),
    estimated: box({ borderColor: paint.color("load"), borderDash: [2, 2] }),
    battery: dash("battery"),
    car: dash("ev"),
    muted: dash("muted"),
    planner: dash("planner"),
  };
  /** @type {(name: string, text: string, sign?: string) => string} */
  const keyed = (name, text, sign = "") => `  {${name}|${sign}} {note|${text}}`;
  /** @param {string} text */
  const wide = (text) => (narrow ? "" : text);
  const car = scene.soc.car.some((v) => v != null) ? keyed("car", words.car, "━") : "";
  const estimated = isEstimated(scene, Object.keys(scene.estimated), 0, scene.past)
    ? keyed("estimated", words.estimated)
    : "";
  const target = scene.soc.target.some((v) => v != null) ? keyed("battery", words.target, "┅") : "";
  /** @type {(name: string, style: string, text: string) => string} */
  const ghost = (name, style, text) => (ghosts.has(name) ? keyed(style, text, "┈") : "");
  const texts = [
    `{title|${words.price}} {note|${scene.priceUnit}/kWh}` +
      keyed("cheap", words.cheap) +
      keyed("dear", words.dear),
    `{title|${words.power}} {note|kW  ↑ ${words.used}  ↓ ${words.supplied}}` +
      wide(
        keyed("solid", words.measured) +
          estimated +
          keyed("light", words.planned) +
          keyed("band", words.band) +
          keyed("held", words.held),
      ),
    `{title|${words.soc}} {note|%}` +
      keyed("battery", words.measured, "━") +
      keyed("battery", scene.soc.assumed ? words.assumed : words.planned, "╍") +
      wide(
        target +
          ghost("without", "muted", words.without) +
          ghost("midnight", "planner", words.midnight) +
          keyed("reserve", words.reserve),
      ) +
      car,
  ];
  return texts.map((text, k) => ({
    id: `title${k}`,
    type: "text",
    left: 0,
    top: grid[k].top - 23,
    z: 90,
    silent: true,
    style: {
      text,
      rich,
      lineHeight: LINE,
      backgroundColor: paint.color("surface"),
      padding: [2, 6, 2, 0],
    },
  }));
}
