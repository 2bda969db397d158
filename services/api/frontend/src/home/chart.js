// The plan's chart and its row of values: keeps what the reader chose (slot, span, zoom, ghosts,
// table) over every refresh.
import { init } from "../echarts.js";
import { closestElement, findElement, findElements } from "../elements.js";
import { tickHours } from "../plan/axes.js";
import { planOption } from "../plan/option.js";
import { readout } from "../plan/readout.js";
import { levelFor } from "../plan/sampling.js";
import { keepChosen } from "./chosen.js";
import { hatch, readColors } from "./look.js";

/** @import { ChartWords } from "../page.d.ts" */
/** @import { Scene } from "../plan/scene.js" */
/** @import { View } from "../plan/types.d.ts" */

/** @typedef {(instant: string, chosen: boolean) => void} Select */
/**
 * @typedef {{
 *   words: ChartWords,
 *   locale: string,
 *   priceDecimals: string,
 *   selected: string,
 *   table: string,
 *   select: Select,
 * }} ChartPage
 */
/** @typedef {[from: number, to: number]} Span */

const MARGINS = 56;
const TICK = 15_000;
const SPANS = { wide: [-12, 96], narrow: [-8, 92] };
const SLOTS_AN_HOUR = 4;
const AXIS = 4;
const DRAG = 5;
const narrow = matchMedia("(max-width: 720px)");

const find = (/** @type {string} */ id) => findElement(`#${id}`, HTMLElement);
/** @type {(scene: Scene, slot: number) => string} */
const instantOf = (scene, slot) => new Date(scene.at(slot)).toISOString();
const spanButtons = () => findElements("[data-span]", HTMLButtonElement);

export class PlanChart {
  /** @type {Span | null} */
  zoom = null;
  byReader = false;
  ghosts = new Set(["without"]);
  pressedAt = NaN;

  /**
   * @param {HTMLElement} card
   * @param {Scene} scene
   * @param {ChartPage} page
   */
  constructor(card, scene, page) {
    this.card = card;
    this.page = page;
    this.scene = scene;
    this.offset = scene.now - performance.now();
    this.chosen = scene.at(Number(page.selected));
    this.span = narrow.matches ? "day" : "all";
    for (const id of ["tools", "chart", "as-picture"]) find(id).hidden = false;
    find("no-chart").hidden = true;
    this.place = find("chart");
    this.drawn = this.grain();
    this.chart = init(this.place, null, { renderer: "canvas", height: 10 });
    this.listen();
    this.renew(scene);
  }

  /** @param {Scene} scene */
  renew(scene) {
    this.scene = scene;
    this.offset = scene.now - performance.now();
    this.chosen = keepChosen(this.chosen, scene, { byReader: this.byReader });
    this.draw();
    this.page.select(instantOf(scene, this.selected), false);
  }

  listen() {
    const canvas = this.chart.getZr();
    canvas.on("mousemove", (event) => this.tell(this.slotAt(event)));
    canvas.on("globalout", () => this.tell(this.selected));
    this.chart.on("datazoom", () => this.onZoom());
    // The browser's own click, which a tap becomes however long it takes; what was dragged pans and
    // chooses nothing.
    this.place.addEventListener("pointerdown", (event) => (this.pressedAt = event.clientX));
    this.place.addEventListener(
      "click",
      (event) => Math.abs(event.clientX - this.pressedAt) < DRAG && this.select(this.slotAt(event)),
    );
    this.place.addEventListener("keydown", (event) => this.onKey(event));
    for (const button of spanButtons()) button.onclick = () => this.showSpan(button);
    for (const button of findElements("[data-ghost]", HTMLButtonElement))
      button.onclick = () => this.toggleGhost(button);
    find("as-table").onclick = () => this.toggleTable();
    find("as-picture").onclick = () => this.savePicture();
    // Steps lead to their slot without leaving the page; they are drawn anew with every refresh.
    document.addEventListener("click", (event) => this.onStep(event));
    document.body.addEventListener("htmx:afterSwap", () => this.markSteps());
    new ResizeObserver(() => this.draw()).observe(this.card);
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

  /** @returns {Span} */
  get bounds() {
    const { scene } = this;
    if (this.zoom) return this.zoom;
    if (this.span === "all") return [scene.at(0), scene.at(scene.count)];
    const [before, after] = narrow.matches ? SPANS.narrow : SPANS.wide;
    return [
      scene.at(Math.max(0, scene.past + before)),
      scene.at(Math.min(scene.count, scene.past + after)),
    ];
  }

  /** @returns {View} */
  get view() {
    const [from, to] = this.bounds;
    return {
      locale: this.page.locale,
      words: this.page.words,
      colors: readColors(this.card),
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
    if (this.place.hidden || !this.place.clientWidth) return;
    const { height, ...option } = planOption(this.scene, this.view);
    this.drawn = this.grain();
    this.markSpan();
    this.chart.resize({ height, width: this.place.clientWidth });
    this.chart.setOption(option, { replaceMerge: ["graphic"] });
    this.tell(this.selected);
    this.markSteps();
    for (const button of spanButtons())
      button.setAttribute("aria-pressed", String(button.dataset.span === this.span && !this.zoom));
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
    return {
      level: levelFor(this.scene, { from, to, width }),
      hours: tickHours({ from, to, width }),
    };
  }

  onZoom() {
    const { dataZoom } =
      /** @type {{ dataZoom: Array<{ startValue: number, endValue: number }> }} */ (
        this.chart.getOption()
      );
    const { startValue, endValue } = dataZoom[0];
    this.zoom = [startValue, endValue];
    this.markSpan();
    for (const button of spanButtons()) button.setAttribute("aria-pressed", "false");
    const { level, hours } = this.grain();
    if (level !== this.drawn.level || hours !== this.drawn.hours)
      requestAnimationFrame(() => this.draw());
  }

  /** @param {{ offsetX: number }} event */
  slotAt(event) {
    const instant = this.chart.convertFromPixel({ xAxisIndex: AXIS }, event.offsetX);
    return Math.floor((instant - this.scene.start) / this.scene.step);
  }

  /** @param {number} slot */
  select(slot) {
    if (slot < 0 || slot >= this.scene.count) return;
    this.chosen = this.scene.at(slot);
    this.byReader = true;
    this.reveal();
    this.draw();
    this.page.select(instantOf(this.scene, slot), true);
  }

  // A slot that is chosen by keys or by a step is brought into sight.
  reveal() {
    const [from, to] = this.bounds;
    const span = to - from;
    if (this.chosen < from) this.zoom = [this.chosen, this.chosen + span];
    else if (this.chosen + this.scene.step > to)
      this.zoom = [this.chosen + this.scene.step - span, this.chosen + this.scene.step];
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    /** @type {Record<string, number>} */
    const steps = {
      ArrowLeft: -1,
      ArrowRight: 1,
      PageUp: -SLOTS_AN_HOUR,
      PageDown: SLOTS_AN_HOUR,
      Home: this.scene.past - this.selected,
    };
    if (!(event.key in steps) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.select(Math.max(0, Math.min(this.scene.count - 1, this.selected + steps[event.key])));
  }

  /** @param {MouseEvent} event */
  onStep(event) {
    const step = closestElement(event, "[data-slot]", HTMLElement);
    if (!step || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.select(Number(step.dataset.slot));
  }

  markSteps() {
    const inside = (/** @type {HTMLElement} */ step) =>
      Number(step.dataset.slot) <= this.selected && this.selected < Number(step.dataset.end);
    for (const step of findElements("[data-slot]", HTMLElement))
      step.setAttribute("aria-current", String(inside(step)));
  }

  /** @param {HTMLButtonElement} button */
  showSpan(button) {
    this.span = button.dataset.span ?? "all";
    this.zoom = null;
    this.draw();
  }

  /** @param {HTMLButtonElement} button */
  toggleGhost(button) {
    const name = button.dataset.ghost ?? "";
    if (!this.ghosts.delete(name)) this.ghosts.add(name);
    button.setAttribute("aria-pressed", String(this.ghosts.has(name)));
    this.draw();
  }

  async toggleTable() {
    const table = find("table");
    const open = table.hidden;
    if (open)
      table.innerHTML = await (
        await fetch(this.page.table, { headers: { "HX-Request": "true" } })
      ).text();
    table.hidden = !open;
    this.place.hidden = open;
    find("readout").hidden = open;
    find("as-table").setAttribute("aria-pressed", String(open));
    if (!open) this.draw();
  }

  savePicture() {
    const link = document.createElement("a");
    link.href = this.chart.getDataURL({
      pixelRatio: 2,
      backgroundColor: readColors(this.card).surface,
    });
    const minute = instantOf(this.scene, this.scene.past).slice(0, 16).replace(/[:T]/g, "-");
    link.download = `luna-${minute}.png`;
    link.click();
  }

  /** @param {number} slot */
  tell(slot) {
    if (slot < 0 || slot >= this.scene.count) return;
    const { locale, words, priceDecimals } = this.page;
    const row = readout(this.scene, slot, {
      locale,
      words,
      ghosts: this.ghosts,
      level: this.drawn.level,
      priceDecimals: Number(priceDecimals),
    });
    /**
     * @type {(name: string, className: string, ...children: Array<Node | string>) => HTMLElement}
     */
    const part = (name, className, ...children) => {
      const element = document.createElement(name);
      if (className) element.className = className;
      element.append(...children);
      return element;
    };
    const cells = row.cells.map(({ token, name, value, mark }) =>
      part("span", "", part("i", `swatch c-${token} ${mark}`), `${name} `, part("b", "", value)),
    );
    find("readout").replaceChildren(
      part("span", "title", part("b", "", row.time), ` ${row.state}`),
      ...cells,
    );
  }
}
