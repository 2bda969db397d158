// How old live values are, second by second: each element with data-age counts on from the age that
// it came with. A part whose values are no longer live asks for itself anew, for nothing tells it
// that nothing comes.
import htmx from "htmx.org/dist/htmx.esm.js";
import { findElements, readData } from "./elements.js";

const LIVE_SECONDS = 60;
const TICK_MILLISECONDS = 1_000;

export function countAges() {
  /** @type {WeakMap<HTMLElement, number>} */
  const begins = new WeakMap();
  const tick = () => {
    for (const element of findElements("[data-age]", HTMLElement)) {
      const { age, ago } = readData(element, "age", "ago");
      const begin = begins.get(element) ?? performance.now() - Number(age) * 1_000;
      begins.set(element, begin);
      const seconds = Math.round((performance.now() - begin) / 1_000);
      element.textContent = ago.replace("{n}", String(seconds));
      if (seconds > LIVE_SECONDS) {
        element.removeAttribute("data-age");
        const part = element.closest("[data-follows]");
        if (part) htmx.trigger(part, "luna:changed");
      }
    }
  };
  setInterval(tick, TICK_MILLISECONDS);
}
