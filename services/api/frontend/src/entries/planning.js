// The strip of the page Planning: dragging over it sets the form's times, and a device offers what
// it knows. The form works without either.
import { closestElement, findElement, findElements, readData } from "../elements.js";

const form = findElement("#block", HTMLFormElement);
const strip = findElement("#strip", HTMLElement);
const [from, to, device, action] = ["from", "to", "device", "action"].map((name) =>
  findElement(`[name=${name}]`, HTMLSelectElement, form),
);
const QUARTER_HOUR = 15 * 60_000;
// What the form's times say. The drawing may begin elsewhere: it goes with the clock, the form
// stays as it was opened.
const instants = [...from.options].map((option) => Date.parse(option.value));

function offerActions() {
  const known = readData(device.selectedOptions[0], "actions").actions.split(" ");
  for (const option of action.options) {
    option.hidden = option.disabled = !known.includes(option.value);
  }
  if (action.selectedOptions[0]?.disabled) {
    action.value = known[0];
  }
}

// Where the pointer is, as the place of a time in the form.
/** @type {(svg: SVGSVGElement, event: PointerEvent, round: (slots: number) => number) => number} */
function timeAt(svg, event, round) {
  const { start, left, slot } = readData(svg, "start", "left", "slot");
  const box = svg.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
  const instant = Date.parse(start) + round((x - Number(left)) / Number(slot)) * QUARTER_HOUR;
  const time = instants.findIndex((each) => each >= instant);
  return time < 0 ? instants.length - 1 : time;
}

/** @type {(first: number, end: number) => void} */
function markChosen(first, end) {
  for (const svg of findElements("svg", SVGSVGElement, strip)) {
    const data = readData(svg, "start", "left", "slot");
    const [start, left, width] = [Date.parse(data.start), Number(data.left), Number(data.slot)];
    const [begin, until] = [first, end].map((time) =>
      Math.max((instants[time] - start) / QUARTER_HOUR, 0),
    );
    const chosen = findElement(".chosen", SVGElement, svg);
    chosen.setAttribute("x", String(left + begin * width));
    chosen.setAttribute("width", String(Math.max(until - begin, 0) * width));
  }
}

/** @type {(first: number, end: number) => void} */
function choose(first, end) {
  from.selectedIndex = first;
  to.selectedIndex = Math.max(end, first + 1);
  markChosen(first, to.selectedIndex);
}

/** @type {number | null} */
let begun = null;
strip.addEventListener("pointerdown", (event) => {
  const svg = closestElement(event, "svg", SVGSVGElement);
  if (!svg || event.button !== 0) {
    return;
  }
  begun = timeAt(svg, event, Math.floor);
  svg.setPointerCapture(event.pointerId);
  choose(begun, begun + 1);
});
strip.addEventListener("pointermove", (event) => {
  const svg = closestElement(event, "svg", SVGSVGElement);
  if (!svg || begun === null) {
    return;
  }
  const here = timeAt(svg, event, Math.floor);
  choose(Math.min(begun, here), Math.max(begun, here) + 1);
});
strip.addEventListener("pointerup", () => {
  begun = null;
  form.dispatchEvent(new Event("change", { bubbles: true }));
});
strip.addEventListener("pointercancel", () => {
  begun = null;
});
form.addEventListener("change", () => {
  offerActions();
  markChosen(from.selectedIndex, to.selectedIndex);
});
// A strip is not drawn anew under a pointer; drawn anew it shows what stands in the form.
document.body.addEventListener("htmx:oobBeforeSwap", (event) => {
  if (begun !== null && event.detail.target.id === "strips") {
    event.detail.shouldSwap = false;
  }
});
document.body.addEventListener("htmx:oobAfterSwap", () =>
  markChosen(from.selectedIndex, to.selectedIndex),
);
offerActions();
