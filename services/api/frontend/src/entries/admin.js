// Panels that are read again: one that was not reached says so, and since when what it shows is so.
import { closestElement } from "../elements.js";

const panelOf = (/** @type {Event} */ event) => closestElement(event, "[data-panel]", HTMLElement);

for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => panelOf(event)?.setAttribute("data-stale", ""));
}
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) panelOf(event)?.removeAttribute("data-stale");
});
