// What templates give the pages' scripts, and the events of htmx and Luna on a page.
import type htmx from "htmx.org/dist/htmx.esm.js";

/** `data-words` of the plan chart: `CHART_WORDS` of services/api/pages/home.py. */
export interface ChartWords {
  price: string;
  power: string;
  soc: string;
  target: string;
  used: string;
  supplied: string;
  measured: string;
  planned: string;
  band: string;
  held: string;
  reserve: string;
  cheap: string;
  dear: string;
  estimated: string;
  predicted: string;
  buy: string;
  sell: string;
  now: string;
  hourly: string;
  daily: string;
  plan_changed: string;
  offline: string;
  plan_of: string;
  expected: string;
  gap: string;
  assumed: string;
  without: string;
  midnight: string;
  house: string;
  solar: string;
  battery: string;
  grid: string;
  car: string;
  heater: string;
  /** By mode. */
  short: Record<string, string>;
}

type SwapEvent = CustomEvent<{ target: Element; fragment: DocumentFragment; shouldSwap: boolean }>;

declare global {
  interface Window {
    htmx?: typeof htmx;
  }

  // Source: https://htmx.org/events
  interface GlobalEventHandlersEventMap {
    "htmx:configRequest": CustomEvent<{ headers: Record<string, string> }>;
    "htmx:afterRequest": CustomEvent<{ successful: boolean }>;
    "htmx:responseError": CustomEvent<{ xhr: XMLHttpRequest }>;
    "htmx:oobBeforeSwap": SwapEvent;
  }
}
