// The strip of the page Planning: dragging over it sets the form's times, and a device offers what it knows. The form works without either.
const form = document.getElementById("block");
const strip = document.getElementById("strip");
const [from, to, device, action] = ["from", "to", "device", "action"].map((name) => form.elements[name]);

function offerActions() {
  const known = device.selectedOptions[0].dataset.actions.split(" ");
  for (const option of action.options) {
    option.hidden = option.disabled = !known.includes(option.value);
  }
  if (action.selectedOptions[0]?.disabled) {
    action.value = known[0];
  }
}

// Where the pointer is, as the place of a slot of the drawing.
function slotAt(svg, event, round) {
  const box = svg.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
  const slot = round((x - Number(svg.dataset.left)) / Number(svg.dataset.slot));
  return Math.min(Math.max(slot, 0), from.options.length - 1);
}

function markChosen(first, end) {
  for (const svg of strip.querySelectorAll("svg")) {
    const [left, width] = [Number(svg.dataset.left), Number(svg.dataset.slot)];
    const chosen = svg.querySelector(".chosen");
    chosen.setAttribute("x", left + first * width);
    chosen.setAttribute("width", Math.max(end - first, 0) * width);
  }
}

function choose(first, end) {
  from.selectedIndex = first;
  to.selectedIndex = Math.max(end, first + 1);
  markChosen(first, to.selectedIndex);
}

let begun = null;
strip.addEventListener("pointerdown", (event) => {
  const svg = event.target.closest("svg");
  if (!svg || event.button !== 0) {
    return;
  }
  begun = slotAt(svg, event, Math.floor);
  svg.setPointerCapture(event.pointerId);
  choose(begun, begun + 1);
});
strip.addEventListener("pointermove", (event) => {
  if (begun === null) {
    return;
  }
  const here = slotAt(event.target.closest("svg"), event, Math.floor);
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
offerActions();
