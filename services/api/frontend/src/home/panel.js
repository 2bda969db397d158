// The plan's card: its timeline, fetched anew as the home lives on, and in one line what is new of
// it.
import { findElement, readData } from "../elements.js";
import { sayInstant } from "../plan/readout.js";
import { readScene } from "../plan/scene.js";
import { PlanChart } from "./chart.js";

/** @import { Timelines } from "../gateway.d.ts" */
/** @import { ChartWords } from "../page.d.ts" */
/** @import { Scene } from "../plan/scene.js" */
/** @import { Select } from "./chart.js" */

// Null where the gateway does not answer, or not with a timeline.
/** @type {(address: string) => Promise<Timelines | null>} */
async function fetchTimeline(address) {
  try {
    const answer = await fetch(address);
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

export class PlanPanel {
  /** @type {PlanChart | null} */
  chart = null;

  /**
   * @param {HTMLElement} root
   * @param {{ select: Select }} reader
   */
  constructor(root, { select }) {
    this.root = root;
    this.data = readData(root, "timeline", "table", "locale", "priceDecimals", "selected", "words");
    /** @type {ChartWords} */
    this.words = JSON.parse(this.data.words);
    this.onSelect = select;
  }

  // Fetches the timeline and merges it: new data comes as a whole or not at all.
  async load() {
    const timeline = await fetchTimeline(this.data.timeline);
    if (!timeline) {
      this.say("offline");
      return;
    }
    const scene = readScene(timeline);
    if (this.chart) {
      this.announce(this.chart.scene, scene);
      this.chart.renew(scene);
    } else {
      this.chart = new PlanChart(this.root, scene, {
        ...this.data,
        words: this.words,
        select: this.onSelect,
      });
    }
  }

  // In one line: from when on the plan is another one.
  /** @type {(before: Scene, after: Scene) => void} */
  announce(before, after) {
    const shift = Math.round((after.start - before.start) / after.step);
    /** @type {(scene: Scene, i: number) => boolean} */
    const planned = (scene, i) => scene.modes[i] != null && scene.deciders[i] !== "owner";
    const changed = after.modes.findIndex(
      (mode, i) =>
        i >= after.past &&
        planned(before, i + shift) &&
        planned(after, i) &&
        mode !== before.modes[i + shift],
    );
    if (changed < 0) this.say(null);
    else
      this.say("plan_changed", {
        t: sayInstant(after, after.at(changed), this.data.locale),
        mode: this.words.short[after.modes[changed] ?? ""] ?? "–",
      });
  }

  /** @type {(name: "offline" | "plan_changed" | null, figures?: Record<string, string>) => void} */
  say(name, figures = {}) {
    const line = findElement("#said", HTMLElement);
    line.hidden = name === null;
    line.textContent =
      name === null ? "" : this.words[name].replace(/\{(\w+)\}/g, (_, key) => figures[key]);
  }
}
