// What became of recommendations: that they were seen, and that they were opened. What the reader
// decides is a form's own matter.
import { closestElement, findElement, findElements, readData } from "../elements.js";

/** @param {HTMLElement} place */
export function watchTips(place) {
  /** @type {(tip: HTMLElement, action: "shown" | "opened") => void} */
  const tell = (tip, action) => {
    /** @type {Record<string, string>} */
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    if (document.body.dataset.csrf) headers["X-CSRF-Token"] = document.body.dataset.csrf;
    const address =
      readData(findElement("[data-events]", HTMLElement, place), "events").events +
      encodeURIComponent(readData(tip, "tip").tip);
    // The page may be left meanwhile; that nobody hears of it harms nobody.
    fetch(address, {
      method: "POST",
      headers,
      body: new URLSearchParams({ action }),
      keepalive: true,
    }).catch(() => {});
  };

  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      if (target instanceof HTMLElement) tell(target, "shown");
    }
  }, { threshold: 0.5 });

  const opened = (/** @type {Event} */ event) => {
    const tip = closestElement(event, "[data-tip]", HTMLElement);
    if (!tip || !closestElement(event, "[data-open]", HTMLElement) || tip.dataset.opened) return;
    tip.dataset.opened = "true";
    tell(tip, "opened");
  };

  place.addEventListener("click", opened);
  document.addEventListener("htmx:afterSettle", () => {
    for (const tip of findElements("[data-tip]:not([data-seen])", HTMLElement, place)) {
      tip.dataset.seen = "true";
      seen.observe(tip);
    }
  });
}
