// What every page loads: requests from attributes.
import htmx from "htmx.org/dist/htmx.esm.js";

window.htmx = htmx;
