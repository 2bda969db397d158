// What every page loads: requests from attributes, with the token that forms carry, errors where
// the page has a place for them, and what changes meanwhile.
import htmx from "htmx.org/dist/htmx.esm.js";
import { countAges } from "../age.js";
import { findElements } from "../elements.js";
import { listen } from "../news.js";
import { followConnection } from "../offline.js";

const PROBLEMS = "problems";

// The pages' policy allows neither styles nor code that a script writes.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
htmx.config.selfRequestsOnly = true;
window.htmx = htmx;

document.addEventListener("htmx:configRequest", (event) => {
  const token = document.body.dataset.csrf;
  if (token) event.detail.headers["X-CSRF-Token"] = token;
});

document.addEventListener("htmx:responseError", (event) => {
  const place = document.getElementById(PROBLEMS);
  if (place) place.innerHTML = event.detail.xhr.responseText;
});

document.addEventListener("htmx:afterRequest", (event) => {
  const place = document.getElementById(PROBLEMS);
  if (place && event.detail.successful) place.replaceChildren();
});

followConnection(document.body.dataset);
countAges();

// Once the page's own script listens as well.
const { events, marks } = document.body.dataset;
if (events && marks) addEventListener("DOMContentLoaded", () => listen({ events, marks }));

// Of the tabs at a phone's foot the one that is open is seen, however many there are.
const [tab] = findElements(".top nav [aria-current]", HTMLElement);
if (tab?.parentElement)
  tab.parentElement.scrollLeft =
    tab.offsetLeft - (tab.parentElement.clientWidth - tab.offsetWidth) / 2;
