// State of charge: a point at the end of each slot; measured solid, planned dashed, ghosts dotted.
// What is aimed at holds for its slot.
import { GRID, line, percent } from "./marks.js";
import { keepExtremes } from "./sampling.js";

/** @import { Column, Drawing, LineStyle, Point } from "./types.d.ts" */
/** @import { Scene } from "./scene.js" */
/** @import { Token } from "../home/look.js" */

// Of several batteries, the first, the second and so on.
const BATTERY_DASHES = [[8, 2], [8, 2, 2, 2], [8, 2, 2, 2, 2, 2], [3, 2]];

/** @param {Drawing} c */
export function socSeries(c) {
  const { scene, paint, ghosts } = c;
  const { measured, planned, target, reserve, car, carTarget } = scene.soc;
  /** @type {(name: Token, width?: number) => LineStyle} */
  const dotted = (name, width = 1.5) => ({
    color: paint.color(name),
    width,
    type: [1, 3],
    cap: "round",
  });
  return [
    line(
      "soc-measured",
      GRID.soc,
      ends(c, measured),
      { color: paint.color("battery"), width: 2.5 },
      { areaStyle: { color: paint.alpha("battery", 0.14) } },
    ),
    line("soc-planned", GRID.soc, [...joint(scene, measured), ...ends(c, planned)], {
      color: paint.color("battery"),
      width: 2,
      type: [5, 4],
    }),
    line(
      "soc-target",
      GRID.soc,
      steps(c, target),
      { color: paint.color("battery"), width: 1.5, type: [2, 3] },
      { step: "end" },
    ),
    line(
      "soc-reserve",
      GRID.soc,
      reserve.map((value, i) => [scene.at(i), percent(value)]),
      { color: paint.color("muted"), width: 1 },
      { step: "end", areaStyle: { color: paint.alpha("muted", 0.1) } },
    ),
    ...scene.batteries.map((battery, k) =>
      line(`soc-battery-${k}`, GRID.soc, ends(c, battery.soc), {
        color: paint.color("battery"),
        width: 1,
        type: BATTERY_DASHES[k % BATTERY_DASHES.length],
      }),
    ),
    line("soc-car", GRID.soc, ends(c, car), { color: paint.color("ev"), width: 1.5 }),
    line("soc-car-target", GRID.soc, ends(c, carTarget), {
      color: paint.color("ev"),
      width: 1,
      type: [2, 3],
    }),
    line(
      "soc-without",
      GRID.soc,
      ghosts.has("without") ? ends(c, scene.ghosts.without) : [],
      dotted("muted"),
    ),
    line(
      "soc-midnight",
      GRID.soc,
      ghosts.has("midnight") ? ends(c, scene.ghosts.midnight) : [],
      dotted("planner"),
    ),
  ];
}

/** @type {(drawing: Drawing, values: Column) => Point[]} */
function ends({ scene, buckets, level }, values) {
  /** @type {Array<[slot: number, value: number | null]>} */
  const points =
    level === "slot" ? values.map((value, i) => [i, value]) : keepExtremes(values, buckets);
  return points.map(([i, value]) => [scene.at(i + 1), percent(value)]);
}

// Values that hold for their whole slot; where one ends without another, the step ends with it.
/** @type {(drawing: Drawing, values: Column) => Point[]} */
function steps({ scene }, values) {
  return values.flatMap((value, i) => {
    /** @type {(instant: number, share: number | null) => Point} */
    const point = (instant, share) => [instant, percent(share)];
    const ended = value == null && values[i - 1] != null ? [point(scene.at(i), values[i - 1])] : [];
    const last = value != null && i === values.length - 1 ? [point(scene.at(i + 1), value)] : [];
    return [...ended, point(scene.at(i), value), ...last];
  });
}

// The planned line begins where the measured one ends.
/** @type {(scene: Scene, measured: Column) => Point[]} */
function joint(scene, measured) {
  const last = scene.past - 1;
  return last >= 0 && measured[last] != null ? [[scene.at(last + 1), percent(measured[last])]] : [];
}
