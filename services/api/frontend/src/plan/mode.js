// The ribbon of modes, and the rules of now and of the chosen slot over all panels.
import { GRID, LINE, MODES, custom, line } from "./marks.js";

/** @import { CustomSeriesOption, LineSeriesOption } from "echarts/charts" */
/** @import { Token } from "../home/look.js" */
/** @import { Drawing, Plot, RenderItem, Shape } from "./types.d.ts" */

const LETTER_PIXELS = 6.6;

/** @type {(drawing: Drawing) => CustomSeriesOption[]} */
export function modeSeries({ scene, paint, words }) {
  /** @type {RenderItem} */
  const render = (params, api) => {
    const run = scene.runs[params.dataIndex];
    const { color: name, glyph } = MODES[run.mode];
    const word = words.short[run.mode];
    const [x0, top] = api.coord([scene.at(run.from), 1]);
    const [x1, bottom] = api.coord([scene.at(run.to), 0]);
    const plot = /** @type {Plot} */ (params.coordSys);
    const x = Math.max(x0, plot.x);
    const width = Math.min(x1, plot.x + plot.width) - x - 1;
    if (width <= 0) return undefined;
    const text = width > word.length * LETTER_PIXELS + 8 ? word : width > 11 ? glyph : "";
    /** @type {(y: number, height: number, r: number, fill: string) => Shape} */
    const box = (y, height, r, fill) => ({
      type: "rect",
      shape: { x, y, width, height, r },
      style: { fill },
    });
    /** @type {Extract<Shape, { type: "text" }>["style"]} */
    const label = {
      text,
      x: x + width / 2,
      y: top + 12,
      align: "center",
      verticalAlign: "middle",
      fill: paint.color("text"),
      font: paint.font(500, 11),
    };
    const owned =
      run.owner || run.agent ? [box(top, 3, 1, paint.color(run.owner ? "you" : "antares"))] : [];
    return {
      type: "group",
      children: [
        box(top, bottom - top, 3, paint.alpha(name, run.to <= scene.past ? 0.42 : 0.14)),
        box(bottom - 3, 3, 1, paint.color(name)),
        ...owned,
        { type: "text", style: label },
      ],
    };
  };
  return [
    custom(
      "mode",
      GRID.mode,
      scene.runs.map((run) => [scene.at(run.from), scene.at(run.to)]),
      render,
    ),
  ];
}

/** @type {(drawing: Drawing & { now: number }) => LineSeriesOption[]} */
export function cursorSeries({ scene, paint, words, selected, narrow, clock, now }) {
  const run = scene.runs.find((each) => each.from <= selected && selected < each.to) ?? {
    from: selected,
    to: selected + 1,
  };
  /**
   * @type {(
   *   formatter: string,
   *   back: Token,
   *   ink: Token,
   *   align: "left" | "center" | "right",
   * ) => object}
   */
  const pill = (formatter, back, ink, align) => ({
    formatter,
    align,
    position: "end",
    distance: 2,
    color: paint.color(ink),
    backgroundColor: paint.color(back),
    padding: [2, 6],
    borderRadius: 4,
    fontSize: 11,
    lineHeight: LINE,
    fontWeight: 500,
  });
  /** @type {(xAxis: number, name: Token, label: object) => object} */
  const rule = (xAxis, name, label) => ({
    xAxis,
    label,
    lineStyle: { color: paint.color(name), width: 1.5, type: "solid" },
  });
  const middle = scene.at(selected) + scene.step / 2;
  const left = middle >= now;
  const marks = [
    rule(
      now,
      "text",
      pill(words.now, "text", "surface", narrow ? "center" : left ? "right" : "left"),
    ),
    rule(middle, "accent", {
      ...pill(clock(scene.at(selected)), "accent", "on-accent", left ? "left" : "right"),
      show: !narrow,
    }),
  ];
  return [
    line("cursor", GRID.all, [[scene.at(0), null]], {}, {
      z: 5,
      markLine: { silent: true, symbol: "none", animation: false, data: marks },
      markArea: {
        silent: true,
        animation: false,
        itemStyle: { color: paint.color("select") },
        data: [[{ xAxis: scene.at(run.from) }, { xAxis: scene.at(run.to) }]],
      },
    }),
  ];
}
