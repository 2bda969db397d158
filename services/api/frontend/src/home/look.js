// What the chart takes from the page's style sheet: the tokens of the theme, and a pattern for what
// is not certain or not used.
/** @import { ImagePatternObject } from "zrender/lib/graphic/Pattern.js" */

/** @typedef {(typeof TOKENS)[number]} Token */
/** @typedef {Record<Token | "font", string>} Colors */

const TOKENS = /** @type {const} */ ([
  ...[
    "load",
    "pv",
    "battery",
    "grid",
    "export",
    "ev",
    "heater",
    "price",
    "sell-price",
    "planner",
    "you",
    "antares",
  ],
  ...[
    "text",
    "muted",
    "surface",
    "sunken",
    "line",
    "line-strong",
    "accent",
    "on-accent",
    "cheap",
    "dear",
    "select",
  ],
]);

// A canvas knows neither variables nor light-dark(): the browser resolves both on an element.
/** @type {(element: Element) => Colors} */
export function readColors(element) {
  const probe = document.createElement("span");
  element.append(probe);
  const resolved = TOKENS.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, hex(getComputedStyle(probe).color)];
  });
  probe.remove();
  return /** @type {Colors} */ ({
    ...Object.fromEntries(resolved),
    font: getComputedStyle(document.body).fontFamily,
  });
}

/** @param {string} color */
function hex(color) {
  const [red, green, blue, opacity = 1] = (color.match(/[\d.]+/g) ?? []).map(Number);
  /** @param {number} value */
  const byte = (value) => Math.round(value).toString(16).padStart(2, "0");
  return `#${byte(red)}${byte(green)}${byte(blue)}${opacity < 1 ? byte(opacity * 255) : ""}`;
}

/** @type {(stroke: string) => ImagePatternObject} */
export function hatch(stroke) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 7;
  const pen = /** @type {CanvasRenderingContext2D} */ (tile.getContext("2d"));
  pen.strokeStyle = stroke;
  pen.beginPath();
  for (const x of [-7, 0, 7]) {
    pen.moveTo(x, 7);
    pen.lineTo(x + 7, 0);
  }
  pen.stroke();
  return { image: tile, repeat: "repeat" };
}
