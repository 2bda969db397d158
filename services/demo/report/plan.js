// Point, tap or arrow keys choose a slot; its words are already on the page, in the table below the
// chart.
"use strict";
(() => {
  const chart = document.getElementById("chart");
  const rows = document.getElementById("slots").rows;
  const fields = [...document.querySelectorAll("[data-live]")];
  const drawings = [...chart.querySelectorAll("svg.plan")];
  let chosen = Number(document.getElementById("slots").dataset.chosen);

  // From here on the live row speaks; two tooltips would cover what they explain.
  chart.querySelectorAll("title").forEach((title) => title.remove());

  const words = (row, key) =>
    row.dataset[key] ?? row.querySelector(`[data-k="${key}"]`).textContent;

  function show(slot) {
    const row = rows[slot];
    for (const field of fields) field.textContent = words(row, field.dataset.live);
    for (const svg of drawings) {
      const left = Number(svg.dataset.left),
        width = Number(svg.dataset.slot);
      const first = Number(row.dataset.first),
        end = Number(row.dataset.end);
      const cursor = svg.querySelector(".cursor"),
        run = svg.querySelector(".chosen-run");
      cursor.setAttribute(
        "transform",
        `translate(${(slot - Number(svg.dataset.drawn)) * width} 0)`,
      );
      run.setAttribute("x", left + first * width);
      run.setAttribute("width", (end - first) * width);
    }
  }

  function choose(slot) {
    chosen = Math.max(0, Math.min(rows.length - 1, slot));
    show(chosen);
    const row = rows[chosen];
    chart.setAttribute("aria-valuenow", chosen);
    chart.setAttribute(
      "aria-valuetext",
      `${words(row, "time")} · ${words(row, "mode")}: ${words(row, "why")}`,
    );
  }

  function slotAt(event) {
    const svg = drawings.find((drawing) => drawing.getBoundingClientRect().width > 0);
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) * svg.viewBox.baseVal.width) / box.width;
    const slot = Math.floor((x - Number(svg.dataset.left)) / Number(svg.dataset.slot));
    return Math.max(0, Math.min(rows.length - 1, slot));
  }

  const steps = {
    ArrowLeft: -1,
    ArrowDown: -1,
    ArrowRight: 1,
    ArrowUp: 1,
    PageUp: -4,
    PageDown: 4,
  };
  for (const svg of drawings) svg.dataset.drawn = chosen;
  chart.addEventListener("pointermove", (event) => show(slotAt(event)));
  chart.addEventListener("pointerleave", () => show(chosen));
  chart.addEventListener("click", (event) => choose(slotAt(event)));
  chart.addEventListener("keydown", (event) => {
    const slot =
      event.key === "Home"
        ? 0
        : event.key === "End"
          ? rows.length - 1
          : chosen + (steps[event.key] ?? 0);
    if (!(event.key in steps) && event.key !== "Home" && event.key !== "End") return;
    event.preventDefault();
    choose(slot);
  });
})();
