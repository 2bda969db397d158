// Power: what uses energy stands above the axis, what supplies it below; both sides of a slot are
// equally long. What is estimated is hatched.
import { GRID, custom, line, zeroLine } from "./marks.js";
import { mean } from "./sampling.js";
import { isEstimated } from "./scene.js";

/** @import { CustomSeriesOption, LineSeriesOption } from "echarts/charts" */
/** @import { Token } from "../home/look.js" */
/** @import { Scene } from "./scene.js" */
/** @import { Bucket, Column, Drawing, Fill } from "./types.d.ts" */
/** @import { RenderApi, RenderItem, Rendered, Shape } from "./types.d.ts" */

/** @typedef {keyof Scene["flows"]} Flow */

/** @type {Array<[flow: Flow, colour: Token]>} */
const USES = [
  ["load", "load"],
  ["heater", "heater"],
  ["ev", "ev"],
  ["charge", "battery"],
  ["gridExport", "export"],
];
/** @type {Array<[flow: Flow, colour: Token]>} */
const SOURCES = [
  ["pv", "pv"],
  ["evGiven", "ev"],
  ["discharge", "battery"],
  ["gridImport", "grid"],
];
const LEAST_KW = 0.005;
const LEAST_HELD_KW = 0.05;
const PLANNED = 0.5;

/** @type {(c: Drawing) => Array<CustomSeriesOption | LineSeriesOption>} */
export function powerSeries(c) {
  const { scene, paint, buckets } = c;
  const bars = buckets.map((bucket) => {
    const means = Object.entries(scene.flows).map(([name, values]) => [name, mean(values, bucket)]);
    return {
      bucket,
      flows: /** @type {Record<Flow, number | null>} */ (Object.fromEntries(means)),
    };
  });
  const held = c.hatch(paint.color("pv"));
  return [
    custom(
      "flows",
      GRID.power,
      buckets.map(([from, to]) => [scene.at(from), scene.at(to)]),
      (params, api) => stack(c, bars[params.dataIndex], api, held),
    ),
    band(c, "pv", -1),
    band(c, "load", 1),
    expected(c, "forecast-load", scene.ghosts.load, { sign: 1, name: "load" }),
    expected(c, "forecast-pv", scene.ghosts.pv, { sign: -1, name: "pv" }),
    line("power-zero", GRID.power, [], {}, { markLine: { ...zeroLine(paint), z: 4 } }),
  ];
}

/**
 * @type {(
 *   drawing: Drawing,
 *   bar: { bucket: Bucket, flows: Record<Flow, number | null> },
 *   api: RenderApi,
 *   held: Fill,
 * ) => Rendered}
 */
function stack({ scene, paint, hatch }, { bucket: [from, to], flows }, api, held) {
  const [left] = api.coord([scene.at(from), 0]);
  const span = api.coord([scene.at(to), 0])[0] - left;
  const width = span > 4 ? span * 0.86 : span;
  /** @type {(low: number, high: number, fill: Fill) => Shape} */
  const rect = (low, high, fill) => {
    const [y0, y1] = [low, high].map((v) => api.coord([scene.at(from), v])[1]);
    return {
      type: "rect",
      shape: { x: left, width, y: Math.min(y0, y1), height: Math.abs(y0 - y1) },
      style: { fill },
    };
  };
  /** @type {Shape[]} */
  const children = [];
  /** @type {Array<[list: typeof USES, sign: number]>} */
  const sides = [
    [USES, 1],
    [SOURCES, -1],
  ];
  for (const [list, sign] of sides) {
    let sum = 0;
    for (const [key, name] of list) {
      const power = flows[key] ?? 0;
      if (power <= LEAST_KW) continue;
      const fill =
        from >= scene.past
          ? paint.alpha(name, PLANNED)
          : isEstimated(scene, [key], from, to)
            ? hatch(paint.color(name))
            : paint.color(name);
      children.push(rect(sign * sum, sign * (sum + power), fill));
      sum += power;
    }
  }
  const [supplied, curtailed] = [flows.pv ?? 0, flows.curtailed ?? 0];
  if (curtailed > LEAST_HELD_KW) children.push(rect(-supplied, -supplied - curtailed, held));
  return { type: "group", children };
}

/** @type {(drawing: Drawing, name: "load" | "pv", sign: number) => CustomSeriesOption} */
function band({ scene, paint, buckets }, name, sign) {
  const { low, high } = scene.bands[name];
  const ahead = buckets.filter((bucket) => mean(low, bucket) != null && mean(high, bucket) != null);
  /** @param {Bucket} bucket */
  const middle = ([from, to]) => (scene.at(from) + scene.at(to)) / 2;
  /** @param {Column} values */
  const edge = (values) =>
    ahead.map((bucket) => [middle(bucket), sign * (mean(values, bucket) ?? 0)]);
  const outline = [...edge(low), ...edge(high).reverse()];
  const style = { fill: paint.alpha(name, 0.2), stroke: paint.alpha(name, 0.55), lineWidth: 1 };
  /** @type {RenderItem} */
  const render = (_, api) => ({
    type: "polygon",
    shape: { points: outline.map((point) => api.coord(point)) },
    style,
  });
  const data = ahead.length ? [[scene.at(ahead[0][0]), scene.at(ahead[ahead.length - 1][1])]] : [];
  return custom(`band-${name}`, GRID.power, data, render, { z: 2 });
}

/**
 * @type {(
 *   drawing: Drawing,
 *   id: string,
 *   values: Column,
 *   look: { sign: number, name: Token },
 * ) => LineSeriesOption}
 */
function expected({ scene, paint, buckets, ghosts }, id, values, { sign, name }) {
  /** @param {Bucket} bucket */
  const signed = (bucket) => {
    const value = mean(values, bucket);
    return value == null ? null : sign * value;
  };
  const data = ghosts.has("forecast")
    ? buckets.map((bucket) => [scene.at(bucket[0]), signed(bucket)])
    : [];
  return line(
    id,
    GRID.power,
    data,
    { color: paint.color(name), width: 1.5, type: [1, 3], cap: "round" },
    { step: "end" },
  );
}
