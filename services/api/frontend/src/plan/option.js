// The plan chart as a pure function: a scene and how it is looked at go in, ECharts' option comes
// out.
import { axes, grids, titles } from "./axes.js";
import { clockOf } from "./clock.js";
import { GRID, paintOf } from "./marks.js";
import { cursorSeries, modeSeries } from "./mode.js";
import { powerSeries } from "./power.js";
import { priceSeries } from "./price.js";
import { bucketsOf, levelFor } from "./sampling.js";
import { socSeries } from "./soc.js";

/** @import { Scene } from "./scene.js" */
/** @import { Drawing, PlanOption, View } from "./types.d.ts" */

const LEAST_SPAN = 6 * 36e5;

/** @type {(scene: Scene, view: View) => PlanOption & { height: number }} */
export function planOption(scene, view) {
  const level = levelFor(scene, view);
  /** @type {Drawing} */
  const c = {
    ...view,
    scene,
    level,
    buckets: bucketsOf(scene, level),
    paint: paintOf(view.colors),
    clock: clockOf(scene.timeZone, view.locale),
  };
  const { grid, height } = grids(c.narrow);
  return {
    height,
    grid,
    ...axes(c),
    graphic: titles(c, grid),
    animation: false,
    textStyle: { fontFamily: c.paint.color("font") },
    axisPointer: { link: [{ xAxisIndex: "all" }], triggerOn: "mousemove" },
    dataZoom: [
      {
        id: "zoom",
        type: "inside",
        xAxisIndex: Object.values(GRID),
        startValue: view.from,
        endValue: view.to,
        minValueSpan: LEAST_SPAN,
        filterMode: "none",
        zoomOnMouseWheel: "ctrl",
        moveOnMouseWheel: false,
        preventDefaultMouseMove: false,
      },
    ],
    series: [
      ...priceSeries(c),
      ...powerSeries(c),
      ...socSeries(c),
      ...modeSeries(c),
      ...cursorSeries(c),
    ],
  };
}
