// Power: what uses energy stands above the axis, what supplies it below; both sides of a slot are equally long. What is estimated is hatched.
import { GRID, custom, line, zeroLine } from "./marks.js";
import { mean } from "./sampling.js";
import { isEstimated } from "./scene.js";

const USES = [
  ["load", "load"],
  ["heater", "heater"],
  ["ev", "ev"],
  ["charge", "battery"],
  ["gridExport", "grid"],
];
const SOURCES = [
  ["pv", "pv"],
  ["evGiven", "ev"],
  ["discharge", "battery"],
  ["gridImport", "grid"],
];
const LEAST_KW = 0.005;
const LEAST_HELD_KW = 0.05;
const PLANNED = 0.5;

export function powerSeries(c) {
  const { scene, paint, buckets } = c;
  const bars = buckets.map((bucket) => ({ bucket, flows: Object.fromEntries(Object.entries(scene.flows).map(([name, values]) => [name, mean(values, bucket)])) }));
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

function stack({ scene, paint, hatch }, { bucket: [from, to], flows }, api, held) {
  const [left] = api.coord([scene.at(from), 0]);
  const span = api.coord([scene.at(to), 0])[0] - left;
  const width = span > 4 ? span * 0.86 : span;
  const rect = (low, high, fill) => {
    const [y0, y1] = [low, high].map((v) => api.coord([scene.at(from), v])[1]);
    return { type: "rect", shape: { x: left, width, y: Math.min(y0, y1), height: Math.abs(y0 - y1) }, style: { fill } };
  };
  const children = [];
  for (const [list, sign] of [
    [USES, 1],
    [SOURCES, -1],
  ]) {
    let sum = 0;
    for (const [key, name] of list) {
      if (!(flows[key] > LEAST_KW)) continue;
      const fill = from >= scene.past ? paint.alpha(name, PLANNED) : isEstimated(scene, [key], from, to) ? hatch(paint.color(name)) : paint.color(name);
      children.push(rect(sign * sum, sign * (sum + flows[key]), fill));
      sum += flows[key];
    }
  }
  if (flows.curtailed > LEAST_HELD_KW) children.push(rect(-flows.pv, -flows.pv - flows.curtailed, held));
  return { type: "group", children };
}

function band({ scene, paint, buckets }, name, sign) {
  const { low, high } = scene.bands[name];
  const ahead = buckets.filter((bucket) => mean(low, bucket) != null && mean(high, bucket) != null);
  const middle = ([from, to]) => (scene.at(from) + scene.at(to)) / 2;
  const edge = (values) => ahead.map((bucket) => [middle(bucket), sign * mean(values, bucket)]);
  const outline = [...edge(low), ...edge(high).reverse()];
  const style = { fill: paint.alpha(name, 0.2), stroke: paint.alpha(name, 0.55), lineWidth: 1 };
  const render = (_, api) => ({ type: "polygon", shape: { points: outline.map((point) => api.coord(point)) }, style });
  const data = ahead.length ? [[scene.at(ahead[0][0]), scene.at(ahead.at(-1)[1])]] : [];
  return custom(`band-${name}`, GRID.power, data, render, { z: 2 });
}

function expected({ scene, paint, buckets, ghosts }, id, values, { sign, name }) {
  const signed = (bucket) => {
    const value = mean(values, bucket);
    return value == null ? null : sign * value;
  };
  const data = ghosts.has("forecast") ? buckets.map((bucket) => [scene.at(bucket[0]), signed(bucket)]) : [];
  return line(id, GRID.power, data, { color: paint.color(name), width: 1.5, type: [1, 3], cap: "round" }, { step: "end" });
}
