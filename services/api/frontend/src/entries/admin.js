// Panels that are read again: one that was not reached says so, and since when what it shows is so.
const panelOf = (event) => event.target.closest?.("[data-panel]");

for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => panelOf(event)?.setAttribute("data-stale", ""));
}
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) panelOf(event)?.removeAttribute("data-stale");
});
