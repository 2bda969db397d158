// The row of live values above the chart: legend and tooltip in one place that covers nothing.
import { tellingClockOf, zoned } from "./clock.js";
import { numbersOf } from "./numbers.js";
import { isGap } from "./scene.js";

const difference = (a, b) => (a == null && b == null ? null : (a ?? 0) - (b ?? 0));

// By the clock alone on the day that is now, with its day on another.
export function sayInstant({ timeZone, now }, instant, locale) {
  const day = zoned(timeZone, locale, { dateStyle: "short" });
  const clock = tellingClockOf(timeZone, locale)(instant);
  return day(instant) === day(now) ? clock : `${zoned(timeZone, locale, { weekday: "short" })(instant)} ${clock}`;
}

// The title of the row, and its cells: token of the colour, name, value, and the mark where it is no area.
export function readout(scene, i, { locale, words, ghosts, level, priceDecimals }) {
  const numbers = numbersOf({ locale, priceDecimals, priceScale: scene.priceScale, priceUnit: scene.priceUnit });
  const { flows } = scene;
  const weekday = zoned(scene.timeZone, locale, { weekday: "short" })(scene.at(i));
  const state = isGap(scene, i) ? words.gap : i < scene.past ? words.measured : words.planned;
  const soc = i < scene.past ? scene.soc.measured[i] : scene.soc.planned[i];
  const battery = difference(flows.charge[i], flows.discharge[i]);
  const planOf = (issued) => words.plan_of.replace("{t}", sayInstant(scene, issued, locale));
  const wanted = (ghost) => (ghosts.has(ghost) ? null : []);
  // What a site does not have is zero throughout.
  const used = (values) => values.map((value) => value || null);
  const cells = [
    ["price", words.buy, numbers.price(scene.importPrice[i]), "line"],
    ["grid", words.sell, numbers.price(scene.exportPrice[i]), "line"],
    ["load", words.house, numbers.power(flows.load[i])],
    ["heater", words.heater, numbers.power(flows.heater[i]), "", used(flows.heater)],
    ["ev", words.car, numbers.power(flows.ev[i]), "", used(flows.ev)],
    ["pv", words.solar, numbers.power(flows.pv[i]), "", used(flows.pv)],
    ["battery", words.battery, `${numbers.signedPower(battery)} · ${numbers.share(soc)}`],
    ["battery", words.target, numbers.share(scene.soc.target[i]), "dashed", scene.soc.target],
    ["grid", words.grid, numbers.signedPower(difference(flows.gridImport[i], flows.gridExport[i]))],
    ["load", `${words.house}, ${words.expected}`, numbers.power(scene.ghosts.load[i]), "dotted", wanted("forecast")],
    ["pv", `${words.solar}, ${words.expected}`, numbers.power(scene.ghosts.pv[i]), "dotted", wanted("forecast")],
    ["muted", words.without, numbers.share(scene.ghosts.without[i]), "dotted", wanted("without")],
    ["planner", scene.plans.midnight == null ? words.midnight : planOf(scene.plans.midnight), numbers.share(scene.ghosts.midnight[i]), "dotted", wanted("midnight")],
  ].filter(([, , , , needed]) => needed == null || needed.some((v) => v != null));
  const mode = scene.modes[i] == null ? "" : `, ${words.short[scene.modes[i]]}`;
  const version = i < scene.past || scene.plans.latest == null ? "" : ` · ${planOf(scene.plans.latest)}`;
  const mean = { slot: "", hour: ` · ${words.hourly}`, day: ` · ${words.daily}` }[level];
  return {
    time: `${weekday} ${tellingClockOf(scene.timeZone, locale)(scene.at(i))}`,
    state: `${state}${mode}${version}${mean}`,
    cells: cells.map(([token, name, value, mark = ""]) => ({ token, name, value, mark })),
  };
}
