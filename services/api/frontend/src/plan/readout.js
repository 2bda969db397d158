// The row of live values above the chart: legend and tooltip in one place that covers nothing.
import { tellingClockOf, weekdayOf, zoned } from "./clock.js";
import { numbersOf } from "./numbers.js";
import { isEstimated, isGap } from "./scene.js";

/** @import { ChartWords } from "../page.d.ts" */
/** @import { Scene } from "./scene.js" */
/** @import { Column, Level } from "./types.d.ts" */

/** @type {(a: number | null, b: number | null) => number | null} */
const difference = (a, b) => (a == null && b == null ? null : (a ?? 0) - (b ?? 0));

// By the clock alone on the day that is now, with its day on another.
/** @type {(scene: Pick<Scene, "timeZone" | "now">, instant: number, locale: string) => string} */
export function sayInstant({ timeZone, now }, instant, locale) {
  const day = zoned(timeZone, locale, { dateStyle: "short" });
  const clock = tellingClockOf(timeZone, locale)(instant);
  return day(instant) === day(now)
    ? clock
    : `${weekdayOf(timeZone, locale)(instant)} ${clock}`;
}

// The title of the row, and its cells: token of the colour, name, value, and the mark where it is
// no area.
/**
 * @typedef {{ locale: string, words: ChartWords, ghosts: Set<string>, level: Level, priceDecimals:
 *   number }} Reading
 * @typedef {{ token: string, name: string, value: string, mark: string }} Cell
 */

/**
 * @type {(
 *   scene: Scene,
 *   i: number,
 *   reading: Reading,
 * ) => { time: string, state: string, cells: Cell[] }}
 */
export function readout(scene, i, { locale, words, ghosts, level, priceDecimals }) {
  const numbers = numbersOf({
    locale,
    priceDecimals,
    priceScale: scene.priceScale,
    priceUnit: scene.priceUnit,
  });
  const { flows } = scene;
  const weekday = weekdayOf(scene.timeZone, locale)(scene.at(i));
  const guessed = isEstimated(scene, Object.keys(scene.estimated), i);
  const state = isGap(scene, i)
    ? words.gap
    : guessed
      ? words.estimated
      : i < scene.past
        ? words.measured
        : words.planned;
  /** @type {(value: string, ...names: string[]) => string} */
  const power = (value, ...names) => (isEstimated(scene, names, i) ? `≈\u00a0${value}` : value);
  const ahead = i >= scene.past;
  const share = numbers.share(ahead ? scene.soc.planned[i] : scene.soc.measured[i]);
  const soc = ahead && scene.soc.assumed ? `≈${share}` : share;
  const battery = difference(flows.charge[i], flows.discharge[i]);
  // Of each of several batteries, where the plan says something of it.
  /**
   * @type {(
   *   each: { name: string, power: Column, soc: Column },
   * ) => [token: string, name: string, value: string, mark: string, needed: Column]}
   */
  const perBattery = ({ name, power: own, soc: level }) => [
    "battery",
    name,
    `${numbers.signedPower(own[i])} · ${numbers.share(level[i])}`,
    "line",
    [own[i]],
  ];
  /** @param {number} issued */
  const planOf = (issued) => words.plan_of.replace("{t}", sayInstant(scene, issued, locale));
  /** @type {(ghost: string) => Column | null} */
  const wanted = (ghost) => (ghosts.has(ghost) ? null : []);
  // What a site does not have is zero throughout.
  /** @param {Column} values */
  const used = (values) => values.map((value) => value || null);
  /**
   * @type {Array<[token: string, name: string, value: string, mark?: string, needed?: Column |
   *   null]>}
   */
  const cells = [
    ["price", words.buy, numbers.price(scene.importPrice[i]), "line"],
    ["sell-price", words.sell, numbers.price(scene.exportPrice[i]), "line"],
    ["load", words.house, power(numbers.power(flows.load[i]), "load")],
    [
      "heater",
      words.heater,
      power(numbers.power(flows.heater[i]), "heater"),
      "",
      used(flows.heater),
    ],
    ["ev", words.car, power(numbers.power(flows.ev[i]), "ev"), "", used(flows.ev)],
    ["pv", words.solar, power(numbers.power(flows.pv[i]), "pv"), "", used(flows.pv)],
    [
      "battery",
      words.battery,
      `${power(numbers.signedPower(battery), "charge", "discharge")} · ${soc}`,
    ],
    ...scene.batteries.map((each) => perBattery(each)),
    ["battery", words.target, numbers.share(scene.soc.target[i]), "dashed", scene.soc.target],
    [
      "grid",
      words.grid,
      power(
        numbers.signedPower(difference(flows.gridImport[i], flows.gridExport[i])),
        "gridImport",
        "gridExport",
      ),
    ],
    [
      "load",
      `${words.house}, ${words.expected}`,
      numbers.power(scene.ghosts.load[i]),
      "dotted",
      wanted("forecast"),
    ],
    [
      "pv",
      `${words.solar}, ${words.expected}`,
      numbers.power(scene.ghosts.pv[i]),
      "dotted",
      wanted("forecast"),
    ],
    ["muted", words.without, numbers.share(scene.ghosts.without[i]), "dotted", wanted("without")],
    [
      "planner",
      scene.plans.midnight == null ? words.midnight : planOf(scene.plans.midnight),
      numbers.share(scene.ghosts.midnight[i]),
      "dotted",
      wanted("midnight"),
    ],
  ];
  const shown = cells.filter(([, , , , needed]) => needed == null || needed.some((v) => v != null));
  const mode = scene.modes[i] == null ? "" : `, ${words.short[scene.modes[i]]}`;
  const version =
    i < scene.past || scene.plans.latest == null ? "" : ` · ${planOf(scene.plans.latest)}`;
  const mean = { slot: "", hour: ` · ${words.hourly}`, day: ` · ${words.daily}` }[level];
  return {
    time: `${weekday} ${tellingClockOf(scene.timeZone, locale)(scene.at(i))}`,
    state: `${state}${mode}${version}${mean}`,
    cells: shown.map(([token, name, value, mark = ""]) => ({ token, name, value, mark })),
  };
}
