// What the plan chart is drawn of.
import type { CustomSeriesOption, LineSeriesOption } from "echarts/charts";
import type {
  AxisPointerComponentOption,
  DataZoomComponentOption,
  GraphicComponentOption,
  GridComponentOption,
} from "echarts/components";
import type { ComposeOption } from "echarts/core";
import type { ImagePatternObject } from "zrender/lib/graphic/Pattern.js";
import type { Colors, Token } from "../home/look.js";
import type { ChartWords } from "../page.d.ts";
import type { Clock } from "./clock.js";
import type { Scene } from "./scene.js";

/** A value per slot. */
export type Column = Array<number | null>;
/** The first slot of what is drawn as one, and the one after its last. */
export type Bucket = [from: number, to: number];
export type Level = "slot" | "hour" | "day";
export type Point = [instant: number, value: number | null];
export type Fill = string | ImagePatternObject;

/** How a scene is looked at. */
export interface View {
  locale: string;
  words: ChartWords;
  colors: Colors;
  hatch: (color: string) => Fill;
  /** The chosen slot. */
  selected: number;
  narrow: boolean;
  /** Names of what is drawn for comparison. */
  ghosts: Set<string>;
  from: number;
  to: number;
  now: number;
  /** Of the plot, in pixels. */
  width: number;
}

export interface Paint {
  color: (name: Token | "font") => string;
  alpha: (name: Token, share: number) => string;
  font: (weight: number, size: number) => string;
}

/** A scene with how it is looked at, as each part of the chart takes it. */
export interface Drawing extends View {
  scene: Scene;
  level: Level;
  buckets: Bucket[];
  paint: Paint;
  clock: Clock;
}

export type LineStyle = NonNullable<LineSeriesOption["lineStyle"]>;
export type RenderItem = NonNullable<CustomSeriesOption["renderItem"]>;
export type RenderParams = Parameters<RenderItem>[0];
export type RenderApi = Parameters<RenderItem>[1];
/** What a custom series draws of one entry, and a part of it. */
export type Rendered = ReturnType<RenderItem>;
export type Shape = Extract<NonNullable<Rendered>, { type: "group" }>["children"][number];
/** Where a chart of two axes draws. */
export type Plot = RenderParams["coordSys"] & { x: number; width: number };

export type PlanOption = ComposeOption<
  | AxisPointerComponentOption
  | CustomSeriesOption
  | DataZoomComponentOption
  | GraphicComponentOption
  | GridComponentOption
  | LineSeriesOption
>;
