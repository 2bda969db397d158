// What is drawn where a slot is narrower than two pixels: means per hour, then per day, that keep
// extremes and gaps; never every n-th value.
import { ticks } from "./clock.js";

/** @import { Scene } from "./scene.js" */
/** @import { Bucket, Column, Level } from "./types.d.ts" */

const LEAST_PIXELS = 2;
const HOUR_SLOTS = 4;

// "slot", "hour" or "day": the finest of which one is at least two pixels wide.
/**
 * @type {(scene: Pick<Scene, "step">, view: { from: number, to: number, width: number }) => Level}
 */
export function levelFor(scene, { from, to, width }) {
  const slot = (width * scene.step) / (to - from);
  if (slot >= LEAST_PIXELS) return "slot";
  return slot * HOUR_SLOTS >= LEAST_PIXELS ? "hour" : "day";
}

// The slots at which buckets begin, then `count`; a bucket never holds both what is over and what
// is to come, nor known and predicted prices.
/** @type {(scene: Scene, level: Level) => Bucket[]} */
export function bucketsOf(scene, level) {
  if (level === "slot") return Array.from({ length: scene.count }, (_, i) => [i, i + 1]);
  const marks = ticks(
    scene.start,
    scene.at(scene.count),
    level === "hour" ? 1 : 24,
    scene.timeZone,
  ).map((t) => (t - scene.start) / scene.step);
  const edges = [...new Set([0, scene.past, scene.known, scene.count, ...marks])]
    .filter((i) => i >= 0 && i <= scene.count)
    .sort((a, b) => a - b);
  return edges.slice(1).map((end, k) => [edges[k], end]);
}

/** @type {(values: Column, bucket: Bucket) => number[]} */
const knownOf = (values, [from, to]) => values.slice(from, to).filter((v) => v != null);

/** @type {(values: Column, bucket: Bucket) => number | null} */
export function mean(values, bucket) {
  const known = knownOf(values, bucket);
  return known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
}

/** @type {(values: Column, bucket: Bucket) => [low: number, high: number] | null} */
export function range(values, bucket) {
  const known = knownOf(values, bucket);
  return known.length ? [Math.min(...known), Math.max(...known)] : null;
}

// Points (slot, value) of a level that keep first, lowest, highest and last of each bucket, in
// their order; null where nothing is known.
/** @type {(values: Column, buckets: Bucket[]) => Array<[slot: number, value: number | null]>} */
export function keepExtremes(values, buckets) {
  return buckets.flatMap((bucket) => {
    const [from, to] = bucket;
    const places = Array.from({ length: to - from }, (_, k) => from + k).filter(
      (i) => values[i] != null,
    );
    if (!places.length) return [[from, null]];
    const valueAt = (/** @type {number} */ i) => Number(values[i]);
    const lowest = places.reduce((best, i) => (valueAt(i) < valueAt(best) ? i : best));
    const highest = places.reduce((best, i) => (valueAt(i) > valueAt(best) ? i : best));
    const kept = new Set([places[0], lowest, highest, places[places.length - 1]]);
    return [...kept].sort((a, b) => a - b).map((i) => [i, values[i]]);
  });
}
