// What series have in common. Series ids never change, so a refresh merges and keeps the reader's
// zoom.
/** @import { CustomSeriesOption, LineSeriesOption } from "echarts/charts" */
/** @import { MarkLineComponentOption } from "echarts/components" */
/** @import { Colors, Token } from "../home/look.js" */
/** @import { LineStyle, Paint, RenderItem } from "./types.d.ts" */

export const GRID = { price: 0, power: 1, soc: 2, mode: 3, all: 4 };

// Without it the height of a line is that of a sign which not every font has.
export const LINE = 14;

/** @type {Record<string, { color: Token, glyph: string }>} */
export const MODES = {
  self_consumption: { color: "load", glyph: "⌂" },
  save: { color: "pv", glyph: "▲" },
  supply: { color: "battery", glyph: "▼" },
  hold: { color: "line-strong", glyph: "■" },
  charge: { color: "price", glyph: "+" },
  export: { color: "export", glyph: "↗" },
};

/** @param {number | null} value */
export const percent = (value) => (value == null ? null : value * 100);

/**
 * @type {(
 *   id: string,
 *   axis: number,
 *   data: LineSeriesOption["data"],
 *   lineStyle: LineStyle,
 *   extra?: LineSeriesOption,
 * ) => LineSeriesOption}
 */
export const line = (id, axis, data, lineStyle, extra = {}) => ({
  id,
  type: "line",
  xAxisIndex: axis,
  yAxisIndex: axis,
  data,
  lineStyle,
  showSymbol: false,
  silent: true,
  animation: false,
  connectNulls: false,
  z: 3,
  ...extra,
});

/**
 * @type {(
 *   id: string,
 *   axis: number,
 *   data: CustomSeriesOption["data"],
 *   renderItem: RenderItem,
 *   extra?: CustomSeriesOption,
 * ) => CustomSeriesOption}
 */
export const custom = (id, axis, data, renderItem, extra = {}) => ({
  id,
  type: "custom",
  xAxisIndex: axis,
  yAxisIndex: axis,
  data,
  renderItem,
  silent: true,
  clip: true,
  animation: false,
  encode: { x: [0, 1], y: -1 },
  z: 1,
  ...extra,
});

/** @type {(paint: Paint) => MarkLineComponentOption} */
export const zeroLine = (paint) => ({
  silent: true,
  symbol: "none",
  animation: false,
  label: { show: false },
  data: [{ yAxis: 0 }],
  lineStyle: { color: paint.color("line-strong"), type: "solid", width: 1 },
});

// Colours by the names of the style sheet's tokens; `alpha` adds an opacity.
/** @type {(colors: Colors) => Paint} */
export function paintOf(colors) {
  /** @type {Paint["color"]} */
  const color = (name) => colors[name];
  /** @type {Paint["alpha"]} */
  const alpha = (name, share) =>
    colors[name] +
    Math.round(share * 255)
      .toString(16)
      .padStart(2, "0");
  return { color, alpha, font: (weight, size) => `${weight} ${size}px ${colors.font}` };
}
