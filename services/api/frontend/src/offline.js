// While there is no connection: a page says so with the time its state is of, an old one changes
// nothing, and once there is one again it is loaded anew.
import { findElement, findElements } from "./elements.js";

const PROBE_MILLISECONDS = 5_000;
const mark = () => document.getElementById("stale");

/** @param {DOMStringMap} page */
export function followConnection({ worker, offline = "", zone }) {
  if (mark()) awaitConnection();
  else markLater(offline, zone);
  if (worker && "serviceWorker" in navigator) register(worker);
}

/** @param {string} worker */
async function register(worker) {
  const first = !navigator.serviceWorker.controller;
  let kept = Infinity;
  navigator.serviceWorker.addEventListener("message", () => (kept = performance.now()), {
    once: true,
  });
  await navigator.serviceWorker.register(worker);
  const { active } = await navigator.serviceWorker.ready;
  if (!first || mark()) return;
  // The worker keeps parts of a page that it has kept. What was asked for before is named to it;
  // the rest passes it by itself, and is not asked for twice.
  const tell = (/** @type {string[]} */ urls) =>
    active?.postMessage({ keep: urls.filter((url) => url.startsWith(location.origin)) });
  const before = (/** @type {PerformanceEntry} */ { startTime }) => startTime < kept;
  tell([location.href.split("#")[0]]);
  new PerformanceObserver((list) =>
    tell(
      list
        .getEntries()
        .filter(before)
        .map(({ name }) => name),
    ),
  ).observe({ type: "resource", buffered: true });
}

// The page was kept by the worker: it stands still until the gateway answers.
function awaitConnection() {
  for (const button of findElements("form[method=post] button, button[hx-post]", HTMLButtonElement))
    button.disabled = true;
  const probe = async () => {
    try {
      const answer = await fetch(findElement("link[rel=manifest]", HTMLLinkElement).href, {
        cache: "no-store",
      });
      if (answer.ok) location.reload();
    } catch {
      // Still away.
    }
  };
  addEventListener("online", probe);
  setInterval(probe, PROBE_MILLISECONDS);
}

// The page is open while the connection goes: what it shows is of then.
/** @type {(offline: string, timeZone?: string) => void} */
function markLater(offline, timeZone) {
  const show = () => {
    if (mark()) return;
    const time = new Date().toLocaleTimeString(document.documentElement.lang, {
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
      timeZone,
    });
    const said = Object.assign(document.createElement("p"), {
      className: "stale",
      id: "stale",
      textContent: offline.replace("{time}", time),
    });
    said.setAttribute("role", "status");
    document.body.prepend(said);
  };
  const hide = () => mark()?.remove();
  addEventListener("offline", show);
  addEventListener("online", hide);
  document.body.addEventListener("luna:lost", show);
  document.body.addEventListener("luna:news", hide);
}
