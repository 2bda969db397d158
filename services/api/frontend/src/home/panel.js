// The plan's card: keeps what the reader chose (slot, span, zoom, ghosts, table) over every refresh.
import { init } from "../echarts.js";
import { tickHours } from "../plan/axes.js";
import { planOption } from "../plan/option.js";
import { readout, sayInstant } from "../plan/readout.js";
import { levelFor } from "../plan/sampling.js";
import { readScene } from "../plan/scene.js";
import { keepChosen } from "./chosen.js";
import { hatch, readColors } from "./look.js";

const MARGINS = 56;
const TICK = 15_000;
const SPANS = { wide: [-12, 96], narrow: [-8, 92] };
const SLOTS_AN_HOUR = 4;
const AXIS = 4;
const DRAG = 5;
const narrow = matchMedia("(max-width: 720px)");

const find = (id) => document.getElementById(id);
const instantOf = (scene, slot) => new Date(scene.at(slot)).toISOString();

// Null where the gateway does not answer, or not with a timeline.
async function fetchTimeline(address) {
  try {
    const answer = await fetch(address);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

export class PlanPanel {
  constructor(root, { select }) {
    this.data = root.dataset;
    this.words = JSON.parse(root.dataset.words);
    this.onSelect = select;
    this.ghosts = new Set(["without"]);
    this.span = narrow.matches ? "day" : "all";
    this.zoom = null;
    this.chosen = null;
    this.byReader = false;
    this.scene = null;
    this.place = find("chart");
  }

  // Fetches the timeline and merges it: new data comes as a whole or not at all.
  async load() {
    const timeline = await fetchTimeline(this.data.timeline);
    if (!timeline) return this.say("offline");
    const scene = readScene(timeline);
    const before = this.scene;
    this.scene = scene;
    this.offset = scene.now - performance.now();
    if (before) this.announce(before, scene);
    else this.begin();
    this.chosen = keepChosen(this.chosen ?? scene.at(Number(this.data.selected)), scene, { byReader: this.byReader });
    this.draw();
    this.onSelect(instantOf(scene, this.selected), false);
    return undefined;
  }

  begin() {
    for (const id of ["tools", "chart", "as-picture"]) find(id).hidden = false;
    find("no-chart").hidden = true;
    this.chart = init(this.place, null, { renderer: "canvas", height: 10 });
    const canvas = this.chart.getZr();
    canvas.on("mousemove", (event) => this.tell(this.slotAt(event)));
    canvas.on("globalout", () => this.tell(this.selected));
    this.chart.on("datazoom", () => this.onZoom());
    // The browser's own click, which a tap becomes however long it takes; what was dragged pans and chooses nothing.
    this.place.addEventListener("pointerdown", (event) => (this.pressedAt = event.clientX));
    this.place.addEventListener("click", (event) => Math.abs(event.clientX - this.pressedAt) < DRAG && this.select(this.slotAt(event)));
    this.place.addEventListener("keydown", (event) => this.onKey(event));
    for (const button of document.querySelectorAll("[data-span]")) button.onclick = () => this.showSpan(button.dataset.span);
    for (const button of document.querySelectorAll("[data-ghost]")) button.onclick = () => this.toggleGhost(button);
    find("as-table").onclick = () => this.toggleTable();
    find("as-picture").onclick = () => this.savePicture();
    // Steps lead to their slot without leaving the page; they are drawn anew with every refresh.
    document.addEventListener("click", (event) => this.onStep(event));
    document.body.addEventListener("htmx:afterSwap", () => this.markSteps());
    new ResizeObserver(() => this.draw()).observe(this.place.parentElement);
    narrow.addEventListener("change", () => this.draw());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    setInterval(() => this.draw(), TICK);
  }

  get now() {
    return performance.now() + this.offset;
  }

  // The chosen slot is an instant, for the window moves on with time.
  get selected() {
    const slot = Math.round((this.chosen - this.scene.start) / this.scene.step);
    return Math.max(0, Math.min(this.scene.count - 1, slot));
  }

  get bounds() {
    const { scene } = this;
    if (this.zoom) return this.zoom;
    if (this.span === "all") return [scene.at(0), scene.at(scene.count)];
    const [before, after] = narrow.matches ? SPANS.narrow : SPANS.wide;
    return [scene.at(Math.max(0, scene.past + before)), scene.at(Math.min(scene.count, scene.past + after))];
  }

  get view() {
    const [from, to] = this.bounds;
    return {
      locale: this.data.locale,
      words: this.words,
      colors: readColors(this.place.parentElement),
      hatch,
      selected: this.selected,
      narrow: narrow.matches,
      ghosts: this.ghosts,
      from,
      to,
      now: this.now,
      width: this.place.clientWidth - MARGINS,
    };
  }

  draw() {
    if (!this.scene || this.place.hidden || !this.place.clientWidth) return;
    const { height, ...option } = planOption(this.scene, this.view);
    this.drawn = this.grain();
    this.markSpan();
    this.chart.resize({ height, width: this.place.clientWidth });
    this.chart.setOption(option, { replaceMerge: ["graphic"] });
    this.tell(this.selected);
    this.markSteps();
    for (const button of document.querySelectorAll("[data-span]")) button.setAttribute("aria-pressed", String(button.dataset.span === this.span && !this.zoom));
  }

  // What is shown stands on the element, for whoever looks from outside.
  markSpan() {
    const [from, to] = this.bounds.map((instant) => new Date(instant).toISOString());
    Object.assign(this.place.dataset, { from, to });
  }

  // What of the drawing depends on the zoom beyond where things stand.
  grain() {
    const [from, to] = this.bounds;
    const width = this.place.clientWidth - MARGINS;
    return `${levelFor(this.scene, { from, to, width })} ${tickHours({ from, to, width })}`;
  }

  onZoom() {
    const { startValue, endValue } = this.chart.getOption().dataZoom[0];
    this.zoom = [startValue, endValue];
    this.markSpan();
    for (const button of document.querySelectorAll("[data-span]")) button.setAttribute("aria-pressed", "false");
    if (this.grain() !== this.drawn) requestAnimationFrame(() => this.draw());
  }

  slotAt(event) {
    const instant = this.chart.convertFromPixel({ xAxisIndex: AXIS }, event.offsetX);
    return Math.floor((instant - this.scene.start) / this.scene.step);
  }

  select(slot) {
    if (slot < 0 || slot >= this.scene.count) return;
    this.chosen = this.scene.at(slot);
    this.byReader = true;
    this.reveal();
    this.draw();
    this.onSelect(instantOf(this.scene, slot), true);
  }

  // A slot that is chosen by keys or by a step is brought into sight.
  reveal() {
    const [from, to] = this.bounds;
    const span = to - from;
    if (this.chosen < from) this.zoom = [this.chosen, this.chosen + span];
    else if (this.chosen + this.scene.step > to) this.zoom = [this.chosen + this.scene.step - span, this.chosen + this.scene.step];
  }

  onKey(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -SLOTS_AN_HOUR, PageDown: SLOTS_AN_HOUR, Home: this.scene.past - this.selected };
    if (!(event.key in steps) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.select(Math.max(0, Math.min(this.scene.count - 1, this.selected + steps[event.key])));
  }

  onStep(event) {
    const step = event.target.closest?.("[data-slot]");
    if (!step || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.select(Number(step.dataset.slot));
  }

  markSteps() {
    const inside = (step) => Number(step.dataset.slot) <= this.selected && this.selected < Number(step.dataset.end);
    for (const step of document.querySelectorAll("[data-slot]")) step.setAttribute("aria-current", String(inside(step)));
  }

  showSpan(span) {
    this.span = span;
    this.zoom = null;
    this.draw();
  }

  toggleGhost(button) {
    const name = button.dataset.ghost;
    if (!this.ghosts.delete(name)) this.ghosts.add(name);
    button.setAttribute("aria-pressed", String(this.ghosts.has(name)));
    this.draw();
  }

  async toggleTable() {
    const table = find("table");
    const open = table.hidden;
    if (open) table.innerHTML = await (await fetch(this.data.table, { headers: { "HX-Request": "true" } })).text();
    table.hidden = !open;
    this.place.hidden = open;
    find("readout").hidden = open;
    find("as-table").setAttribute("aria-pressed", String(open));
    if (!open) this.draw();
  }

  savePicture() {
    const link = document.createElement("a");
    link.href = this.chart.getDataURL({ pixelRatio: 2, backgroundColor: readColors(this.place.parentElement).surface });
    link.download = `luna-${instantOf(this.scene, this.scene.past).slice(0, 16).replace(/[:T]/g, "-")}.png`;
    link.click();
  }

  tell(slot) {
    if (slot < 0 || slot >= this.scene.count) return;
    const level = this.drawn.split(" ")[0];
    const { locale, priceDecimals } = this.data;
    const row = readout(this.scene, slot, { locale, words: this.words, ghosts: this.ghosts, level, priceDecimals: Number(priceDecimals) });
    const part = (name, className, ...children) => {
      const element = document.createElement(name);
      if (className) element.className = className;
      element.append(...children);
      return element;
    };
    const cells = row.cells.map(({ token, name, value, mark }) => part("span", "", part("i", `swatch c-${token} ${mark}`), `${name} `, part("b", "", value)));
    find("readout").replaceChildren(part("span", "title", part("b", "", row.time), ` ${row.state}`), ...cells);
  }

  // In one line: from when on the plan is another one.
  announce(before, after) {
    const shift = Math.round((after.start - before.start) / after.step);
    const planned = (scene, i) => scene.modes[i] != null && scene.deciders[i] !== "owner";
    const changed = after.modes.findIndex((mode, i) => i >= after.past && planned(before, i + shift) && planned(after, i) && mode !== before.modes[i + shift]);
    if (changed < 0) return this.say(null);
    return this.say("plan_changed", { t: sayInstant(after, after.at(changed), this.data.locale), mode: this.words.short[after.modes[changed]] ?? "–" });
  }

  say(name, figures = {}) {
    const line = find("said");
    line.hidden = name === null;
    line.textContent = name === null ? "" : this.words[name].replace(/\{(\w+)\}/g, (_, key) => figures[key]);
  }
}
