// Timelines of made-up days as the gateway answers them, and a plot with a pixel per minute on
// which series are drawn.
export const LOCAL_DAYS = {
  // Clocks go forward in Amsterdam: 92 quarter-hours; an ordinary day; clocks go back: 100.
  92: "2026-03-28T23:00:00Z",
  96: "2026-05-19T22:00:00Z",
  100: "2026-10-24T22:00:00Z",
};

export function timelineOf(
  slots,
  { past = 40, estimated = [], known = slots - 12, zone = "Europe/Amsterdam", gap = [10, 12] } = {},
) {
  const start = LOCAL_DAYS[slots] ?? LOCAL_DAYS[96];
  const column = (value) => Array.from({ length: slots }, (_, i) => value(i));
  const before = (value) =>
    column((i) => (i < past && !(gap[0] <= i && i < gap[1]) ? value(i) : null));
  const after = (value) => column((i) => (i >= past ? value(i) : null));
  const sun = (i) => Math.max(0, Math.round(4e3 * Math.sin((i - 24) / 16)) / 1e3);
  const flows = (part) => ({
    load_kw: part(() => 0.5),
    pv_kw: part(sun),
    import_kw: part((i) => (sun(i) ? 0 : 0.5)),
    export_kw: part((i) => Math.max(0, sun(i) - 2.5)),
    charge_kw: part((i) => Math.max(0, Math.min(sun(i), 2.5) - 0.5)),
    discharge_kw: part(() => 0),
    vehicle_kw: part((i) => (i < 8 ? 3 : 0)),
    heat_pump_kw: part(() => null),
    soc: part((i) => Math.min(1, 0.2 + i / 100)),
  });
  const mode = column((i) => (i < 20 ? "self_consumption" : i < 60 ? "save" : "export"));
  const none = column(() => null);
  return {
    timezone: zone,
    price_scale: 100,
    price_unit: "ct",
    start,
    slot_minutes: 15,
    slots,
    past_slots: past,
    now: new Date(Date.parse(start) + past * 9e5 + 6e5).toISOString(),
    prices: {
      import: column((i) => 0.1 + (i % 24) / 100),
      export: column((i) => (i % 24) / 100 - 0.05),
      known_slots: known,
    },
    measured: { ...flows(before), water_heater_kw: before(() => 0) },
    estimated: column((i) => (estimated.includes(i) ? ["load_kw", "import_kw"] : null)),
    planned: {
      ...flows(after),
      target_soc: after((i) => (i >= 60 && i < 70 ? 0.2 : null)),
      curtailed_kw: after((i) => (i === 50 ? 1 : 0)),
      vehicle_discharge_kw: after(() => 0),
      appliance_kw: after(() => 0),
    },
    bands: Object.fromEntries(
      ["load_p10_kw", "load_p90_kw", "pv_p10_kw", "pv_p90_kw"].map((name, k) => [
        name,
        after(() => 0.3 + k),
      ]),
    ),
    devices: [{ name: "car", kind: "vehicles", soc: after(() => 0.6) }],
    reserve_soc: column(() => 0.1),
    decisions: { mode, decided_by: column(() => "planner") },
    plan: { issued_at: new Date(Date.parse(start) + past * 9e5).toISOString() },
    ghosts: {
      without_luna: { soc: column(() => 0.4) },
      midnight: { issued_at: null, soc: none },
      forecast_then: { load_kw: before(() => 0.6), pv_kw: before(sun) },
    },
    sessions: [
      {
        vehicle: "car",
        from: new Date(Date.parse(start) + 50 * 9e5).toISOString(),
        to: new Date(Date.parse(start) + 60 * 9e5).toISOString(),
        target_soc: 0.8,
      },
    ],
  };
}

export const WORDS = {
  short: { self_consumption: "House", save: "Save", export: "Sell" },
  now: "Now",
  predicted: "predicted",
};
export const COLORS = new Proxy({}, { get: (_, name) => `<${String(name)}>` });

export function viewOf(scene, parts = {}) {
  return {
    locale: "en-GB",
    words: WORDS,
    colors: COLORS,
    hatch: (color) => `hatch ${color}`,
    selected: 44,
    narrow: false,
    ghosts: new Set(["without"]),
    from: scene.at(0),
    to: scene.at(scene.count),
    width: 900,
    now: scene.now,
    ...parts,
  };
}

// What a custom series draws of one entry where a minute is a pixel and a kilowatt ten.
export function draw(series, index, scene) {
  const [first] = series.data[index];
  const coord = ([instant, value]) => [(instant - scene.start) / 60e3, 100 - value * 10];
  return series.renderItem(
    { dataIndex: index, coordSys: { x: 0, width: 1e5 } },
    { coord, value: () => first },
  );
}
