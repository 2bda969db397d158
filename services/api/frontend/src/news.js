// What changes of the site, as the gateway tells it: parts of the page that name a kind of it in
// data-follows ask for themselves anew, a page's own script hears of all on the body. A stream
// tells the marks of all kinds; what changed is what differs from those that the page was written
// with or heard last, so nothing is missed while there is no connection. A page that nobody looks
// at has none: a browser opens six at a time to one gateway.
import htmx from "htmx.org/dist/htmx.esm.js";
import { findElements, readData } from "./elements.js";

/** @typedef {Record<string, string | number | null>} Marks */

// Changes every few seconds: only parts that name it follow it, neither those of everything else
// nor a page's own script.
const LIVE = "live";
const FIRST_RETRY = 1_000;
const LONGEST_RETRY = 8_000;

/** @param {{ events: string, marks: string }} page */
export function listen({ events, marks }) {
  /** @type {Marks} */
  let known = JSON.parse(marks);
  /** @type {EventSource | null} */
  let source = null;
  let lost = false;
  let wait = FIRST_RETRY;
  /** @type {number | undefined} */
  let retry;

  const close = () => {
    clearTimeout(retry);
    source?.close();
    source = null;
  };
  const open = () => {
    if (source || document.hidden) return;
    clearTimeout(retry);
    source = new EventSource(events);
    source.addEventListener("news", ({ data }) => {
      /** @type {Marks} */
      const current = JSON.parse(data);
      const changed = Object.keys(current).filter((kind) => current[kind] !== known[kind]);
      if (changed.length || lost) announce(changed);
      [known, lost, wait] = [current, false, FIRST_RETRY];
    });
    // A browser does not come again to a gateway that answered with an error, as one does that is
    // being started.
    source.onerror = () => {
      close();
      lost = true;
      retry = setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_RETRY);
      document.body.dispatchEvent(new Event("luna:lost"));
    };
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  // A page that the browser kept and shows again goes on.
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  addEventListener("online", open);
  open();
}

/** @param {string[]} changed */
function announce(changed) {
  // A page that is another one once this is there, such as Home with its first plan.
  if (changed.some((kind) => document.querySelector(`[data-awaits~="${kind}"]`))) {
    location.reload();
    return;
  }
  for (const part of findElements("[data-follows]", HTMLElement)) {
    const follows = readData(part, "follows").follows.split(" ");
    const concerns = (/** @type {string} */ kind) =>
      follows.includes(kind) || (follows.includes("*") && kind !== LIVE);
    if (changed.some(concerns)) htmx.trigger(part, "luna:changed");
  }
  if (changed.length === 1 && changed[0] === LIVE) return;
  document.body.dispatchEvent(new Event("luna:news"));
}

// A part that is as it was stays: what is focused, marked or ticked in it as well.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  if (fragment.firstElementChild?.isEqualNode(target)) event.detail.shouldSwap = false;
});
