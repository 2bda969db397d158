// Prices: steps over the slot, cheap and dear shaded, predicted ones dashed on hatching, below zero
// tinted.
import { GRID, LINE, custom, line, zeroLine } from "./marks.js";
import { zoned } from "./clock.js";
import { mean, range } from "./sampling.js";

/** @import { CustomSeriesOption, LineSeriesOption } from "echarts/charts" */
/** @import { MarkAreaComponentOption } from "echarts/components" */
/** @import { Token } from "../home/look.js" */
/** @import { Bucket, Column, Drawing, Point, RenderItem } from "./types.d.ts" */

const CHEAP = 0.2;
const DEAR = 0.84;
// A cheap or dear slot lies as far from its day's median: a share of the median, and a part of the
// way to the lowest or highest price.
const CLEAR_SHARE = 0.1;
const CLEAR_PART = 1 / 3;
// Prices that differ by less are the same.
const LEAST_DIFFERENCE = 1e-6;

/** @type {(c: Drawing) => Array<CustomSeriesOption | LineSeriesOption>} */
export function priceSeries(c) {
  const { scene, paint, buckets } = c;
  const known = buckets.filter(([, to]) => to <= scene.known);
  const later = buckets.filter(([from]) => from >= scene.known);
  /** @type {(id: string, values: Column, name: Token) => LineSeriesOption} */
  const tint = (id, values, name) =>
    line(
      id,
      GRID.price,
      steps(c, values, buckets, (v) => Math.min(v, 0)),
      { opacity: 0 },
      { step: "end", z: 1, areaStyle: { color: paint.alpha(name, 0.22) } },
    );
  return [
    line(
      "price-import",
      GRID.price,
      steps(c, scene.importPrice, known),
      { color: paint.color("price"), width: 2 },
      {
        step: "end",
        markLine: zeroLine(paint),
        markArea: { silent: true, animation: false, data: shades(c) },
      },
    ),
    line(
      "price-import-predicted",
      GRID.price,
      steps(c, scene.importPrice, later),
      { color: paint.color("price"), width: 1.5, type: [4, 3] },
      { step: "end", markArea: predictedArea(c) },
    ),
    line(
      "price-export",
      GRID.price,
      steps(c, scene.exportPrice, buckets),
      { color: paint.color("sell-price"), width: 1.5 },
      { step: "end" },
    ),
    rangeSeries(c, "price-import-range", scene.importPrice, "price"),
    rangeSeries(c, "price-export-range", scene.exportPrice, "sell-price"),
    tint("price-import-negative", scene.importPrice, "price"),
    tint("price-export-negative", scene.exportPrice, "sell-price"),
  ];
}

// A point where each bucket begins and one where the last ends, in the unit that is shown.
/**
 * @type {(
 *   drawing: Drawing,
 *   values: Column,
 *   buckets: Bucket[],
 *   map?: (value: number) => number,
 * ) => Point[]}
 */
function steps({ scene }, values, buckets, map = (/** @type {number} */ v) => v) {
  /** @param {Bucket} bucket */
  const shown = (bucket) => {
    const value = mean(values, bucket);
    return value == null ? null : map(value * scene.priceScale);
  };
  /** @type {Point[]} */
  const points = buckets.map((bucket) => [scene.at(bucket[0]), shown(bucket)]);
  const last = buckets.at(-1);
  return last ? [...points, [scene.at(last[1]), shown(last)]] : points;
}

/** @type {(drawing: Drawing) => NonNullable<MarkAreaComponentOption["data"]>} */
function shades({ scene, paint }) {
  const prices = scene.importPrice.slice(0, scene.known);
  const dayOf = zoned(scene.timeZone, "en-GB", {
    year: "numeric",
    month: "numeric",
    day: "numeric",
  });
  const days = prices.map((_, i) => dayOf(scene.at(i)));
  const bounds = new Map(
    [...new Set(days)].map((day) => [
      day,
      boundsOf(prices.flatMap((v, i) => (v != null && days[i] === day ? [v] : []))),
    ]),
  );
  /**
   * @type {(
   *   test: (price: number, bounds: Bounds) => boolean,
   *   name: Token,
   * ) => NonNullable<MarkAreaComponentOption["data"]>}
   */
  const shade = (test, name) =>
    runsWhere(
      (i) => prices[i] != null && test(prices[i], /** @type {Bounds} */ (bounds.get(days[i]))),
      prices.length,
    ).map(([from, to]) => [
      { xAxis: scene.at(from), itemStyle: { color: paint.color(name) } },
      { xAxis: scene.at(to) },
    ]);
  return [
    ...shade((v, { cheap }) => v <= cheap, "cheap"),
    ...shade((v, { dear }) => v >= dear, "dear"),
  ];
}

/** @typedef {{ cheap: number, dear: number }} Bounds */

// Up to which price a slot is cheap beside the others of its day, and from which it is dear; the
// same as on the charts without scripts.
/** @type {(prices: number[]) => Bounds} */
export function boundsOf(prices) {
  const sorted = [...prices].sort((a, b) => a - b);
  const count = sorted.length;
  /** @param {number} share */
  const quantile = (share) => sorted[Math.floor(share * (count - 1))];
  const median = (sorted[Math.floor((count - 1) / 2)] + sorted[Math.ceil((count - 1) / 2)]) / 2;
  /** @param {number} way */
  const clear = (way) =>
    Math.max(CLEAR_SHARE * Math.abs(median), CLEAR_PART * way, LEAST_DIFFERENCE);
  return {
    cheap: Math.min(quantile(CHEAP), median - clear(median - sorted[0])),
    dear: Math.max(quantile(DEAR), median + clear(sorted[count - 1] - median)),
  };
}

/** @type {(test: (i: number) => boolean, end: number) => Bucket[]} */
export function runsWhere(test, end) {
  /** @type {Bucket[]} */
  const runs = [];
  for (let i = 0; i < end; i++) {
    if (!test(i)) continue;
    const last = runs.at(-1);
    if (last?.[1] === i) last[1]++;
    else runs.push([i, i + 1]);
  }
  return runs.filter(([from, to]) => to - from > 1);
}

/** @type {(drawing: Drawing) => MarkAreaComponentOption} */
function predictedArea({ scene, paint, words, narrow, hatch }) {
  /** @type {MarkAreaComponentOption["label"]} */
  const label = {
    position: "insideTop",
    color: paint.color("muted"),
    fontSize: 11,
    lineHeight: LINE,
    backgroundColor: paint.color("surface"),
    padding: [1, 4],
    formatter: narrow ? "" : words.predicted,
  };
  /** @type {MarkAreaComponentOption["data"]} */
  const data =
    scene.known < scene.count
      ? [[{ xAxis: scene.at(scene.known) }, { xAxis: scene.at(scene.count) }]]
      : [];
  return {
    silent: true,
    animation: false,
    label,
    itemStyle: { color: hatch(paint.color("line-strong")), opacity: 0.55 },
    data,
  };
}

// Lowest and highest price of each bucket; nothing where every slot is drawn itself.
/** @type {(drawing: Drawing, id: string, values: Column, name: Token) => CustomSeriesOption} */
function rangeSeries({ scene, paint, buckets, level }, id, values, name) {
  const shown = (level === "slot" ? [] : buckets).flatMap((bucket) => {
    const found = range(values, bucket);
    return found ? [{ bucket, found }] : [];
  });
  /** @type {RenderItem} */
  const render = (params, api) => {
    const {
      bucket: [from, to],
      found: [low, high],
    } = shown[params.dataIndex];
    const [x0, y0] = api.coord([scene.at(from), high * scene.priceScale]);
    const [x1, y1] = api.coord([scene.at(to), low * scene.priceScale]);
    return {
      type: "rect",
      shape: { x: x0, y: y0, width: x1 - x0, height: y1 - y0 },
      style: { fill: paint.alpha(name, 0.16) },
    };
  };
  return custom(
    id,
    GRID.price,
    shown.map(({ bucket: [from, to] }) => [scene.at(from), scene.at(to)]),
    render,
  );
}
