// From the gateway's timeline to what is drawn: one column per flow, measured before now and
// planned from now on.
/** @import { MeasuredFlows, TimelineFlows, Timelines } from "../gateway.d.ts" */
/** @import { Column } from "./types.d.ts" */

/** @typedef {ReturnType<typeof readScene>} Scene */
/** @typedef {{ from: number, to: number, mode: string, owner: boolean, agent: boolean }} Run */

/** @param {Column} values */
const sumKnown = (...values) => {
  const known = values.filter((v) => v != null);
  return known.length ? known.reduce((sum, v) => sum + v, 0) : null;
};
/** @param {string | null | undefined} text */
const instantOf = (text) => (text == null ? null : Date.parse(text));
const DEVICE_SOC = "vehicles";
const BATTERIES = "batteries";
// By flow: the measured ones that it is made of.
const MADE_OF = {
  load: ["load_kw"],
  heater: ["water_heater_kw", "heat_pump_kw"],
  ev: ["vehicle_kw"],
  charge: ["charge_kw"],
  gridExport: ["export_kw"],
  pv: ["pv_kw"],
  discharge: ["discharge_kw"],
  gridImport: ["import_kw"],
};

/** @param {Timelines} timeline */
export function readScene(timeline) {
  const step = timeline.slot_minutes * 60e3;
  const start = Date.parse(timeline.start);
  const { slots: count, past_slots: past, measured, planned } = timeline;
  /**
   * @type {(before: (i: number) => number | null, after: (i: number) => number | null) => Column}
   */
  const pick = (before, after) =>
    Array.from({ length: count }, (_, i) => (i < past ? before(i) : after(i)));
  /** @param {keyof MeasuredFlows & keyof TimelineFlows} name */
  const plain = (name) => pick((i) => measured[name][i], (i) => planned[name][i]);
  const scene = {
    start,
    step,
    count,
    past,
    at: (/** @type {number} */ i) => start + i * step,
    now: Date.parse(timeline.now),
    timeZone: timeline.timezone,
    known: timeline.prices.known_slots,
    importPrice: timeline.prices.import,
    exportPrice: timeline.prices.export,
    priceScale: timeline.price_scale,
    priceUnit: timeline.price_unit,
    flows: {
      load: plain("load_kw"),
      heater: pick(
        (i) => sumKnown(measured.water_heater_kw[i], measured.heat_pump_kw[i]),
        (i) => sumKnown(planned.appliance_kw[i], planned.heat_pump_kw[i]),
      ),
      ev: plain("vehicle_kw"),
      charge: plain("charge_kw"),
      gridExport: plain("export_kw"),
      pv: pick(
        (i) => measured.pv_kw[i],
        (i) =>
          planned.pv_kw[i] == null ? null : planned.pv_kw[i] - (planned.curtailed_kw[i] ?? 0),
      ),
      evGiven: pick(
        () => null,
        (i) => planned.vehicle_discharge_kw[i],
      ),
      discharge: plain("discharge_kw"),
      gridImport: plain("import_kw"),
      curtailed: pick(() => null, (i) => planned.curtailed_kw[i]),
    },
    // Flows whose sum is a meter's and whose course is estimated: by flow, whether it is in each
    // slot.
    estimated: Object.fromEntries(
      Object.entries(MADE_OF).map(([flow, names]) => [
        flow,
        timeline.estimated.map((marked) => names.some((name) => marked?.includes(name))),
      ]),
    ),
    bands: {
      load: { low: timeline.bands.load_p10_kw, high: timeline.bands.load_p90_kw },
      pv: { low: timeline.bands.pv_p10_kw, high: timeline.bands.pv_p90_kw },
    },
    soc: {
      measured: measured.soc,
      planned: planned.soc,
      target: planned.target_soc,
      reserve: timeline.reserve_soc,
      assumed: timeline.plan?.soc_assumed ?? false,
      ...carSoc(timeline, start, step),
    },
    batteries: listBatteries(timeline),
    ghosts: {
      without: timeline.ghosts.without_luna.soc,
      midnight: timeline.ghosts.midnight.soc,
      load: timeline.ghosts.forecast_then.load_kw,
      pv: timeline.ghosts.forecast_then.pv_kw,
    },
    // Plans are named by when they were issued.
    plans: {
      latest: instantOf(timeline.plan?.issued_at),
      midnight: instantOf(timeline.ghosts.midnight.issued_at),
    },
    modes: timeline.decisions.mode,
    deciders: timeline.decisions.decided_by,
  };
  return { ...scene, runs: findRuns(scene) };
}

// What each of several batteries is planned to do: measured they are together.
/** @type {(timeline: Timelines) => Array<{ name: string, power: Column, soc: Column }>} */
function listBatteries({ devices, past_slots: past }) {
  const batteries = devices.filter(({ kind }) => kind === BATTERIES);
  /** @type {(values: Column | null | undefined) => Column} */
  const ahead = (values) => (values ?? []).map((value, i) => (i < past ? null : value));
  return batteries.length < 2
    ? []
    : batteries.map(({ name, power_kw, soc }) => ({
        name,
        power: ahead(power_kw),
        soc: ahead(soc),
      }));
}

// A car's charge is of interest while it is plugged in; beside it stands what is wanted.
/**
 * @type {(timeline: Timelines, start: number, step: number) => { car: Column, carTarget: Column }}
 */
function carSoc(timeline, start, step) {
  const car = timeline.devices.find((device) => device.kind === DEVICE_SOC);
  /** @param {number} i */
  const inside = (i) =>
    timeline.sessions.find(
      (session) =>
        session.vehicle === car?.name &&
        Date.parse(session.from) <= start + i * step &&
        start + i * step < Date.parse(session.to),
    );
  const sessions = Array.from({ length: timeline.slots }, (_, i) => inside(i));
  return {
    car: sessions.map((session, i) =>
      session && i >= timeline.past_slots ? (car?.soc?.[i] ?? null) : null,
    ),
    carTarget: sessions.map((session) => session?.target_soc ?? null),
  };
}

// Neighbouring slots of one mode and one decider; what is over and what is to come are runs of
// their own.
/** @param {{ modes: Array<string | null>, deciders: Array<string | null>, past: number }} scene */
export function findRuns({ modes, deciders, past }) {
  /** @type {Run[]} */
  const runs = [];
  for (let i = 0; i < modes.length; i++) {
    const last = runs.at(-1);
    const mode = modes[i];
    const [owner, agent] = [deciders[i] === "owner", deciders[i] === "agent"];
    if (mode == null) continue;
    if (
      last &&
      last.to === i &&
      last.mode === mode &&
      last.owner === owner &&
      last.agent === agent &&
      i !== past
    )
      last.to++;
    else runs.push({ from: i, to: i + 1, mode, owner, agent });
  }
  return runs;
}

// Whether any of some flows is estimated in a slot from `from` on, before `to`.
/**
 * @type {(scene: Pick<Scene, "estimated">, flows: string[], from: number, to?: number) => boolean}
 */
export function isEstimated(scene, flows, from, to = from + 1) {
  return flows.some((flow) => scene.estimated[flow]?.slice(from, to).includes(true));
}

/** @type {(scene: Pick<Scene, "past" | "flows">, i: number) => boolean} */
export function isGap(scene, i) {
  return i < scene.past && scene.flows.load[i] == null;
}
