// Clock and calendar of the site: the browser's own zone is never asked.
const QUARTER = 15 * 60e3;
const HOUR = 36e5;

/** @typedef {(instant: number) => string} Clock */

/** @type {(timeZone: string, locale: string, parts: Intl.DateTimeFormatOptions) => Clock} */
export function zoned(timeZone, locale, parts) {
  const format = new Intl.DateTimeFormat(locale, { timeZone, hourCycle: "h23", ...parts });
  return (instant) => format.format(instant);
}

/** @type {(timeZone: string, locale: string) => Clock} */
export function clockOf(timeZone, locale) {
  return zoned(timeZone, locale, { hour: "2-digit", minute: "2-digit" });
}

// The short name as within a sentence, "Mi." in German, where a day alone would be "Mi".
/** @type {(timeZone: string, locale: string) => Clock} */
export function weekdayOf(timeZone, locale) {
  const format = new Intl.DateTimeFormat(locale, { timeZone, weekday: "short", day: "numeric" });
  return (instant) =>
    format.formatToParts(instant).find((part) => part.type === "weekday")?.value ?? "";
}

// The hour that a clock shows twice is told apart by the zone's name.
/** @type {(timeZone: string, locale: string) => Clock} */
export function tellingClockOf(timeZone, locale) {
  const clock = clockOf(timeZone, locale);
  const name = zoned(timeZone, "en-GB", { timeZoneName: "short" });
  /** @param {number} instant */
  const zoneOf = (instant) => name(instant).split(" ").at(-1);
  return (instant) => {
    const shown = clock(instant);
    const twice = shown === clock(instant - HOUR) || shown === clock(instant + HOUR);
    return twice ? `${shown} ${zoneOf(instant)}` : shown;
  };
}

// Instants whose site clock shows a full hour divisible by `every`: right on days of 92, 96 and 100
// slots, in any zone.
/** @type {(from: number, to: number, every: number, timeZone: string) => number[]} */
export function ticks(from, to, every, timeZone) {
  const clock = clockOf(timeZone, "en-GB");
  const found = [];
  for (let t = Math.ceil(from / QUARTER) * QUARTER; t <= to; t += QUARTER) {
    const [hour, minute] = clock(t).split(":").map(Number);
    if (minute === 0 && hour % every === 0) found.push(t);
  }
  return found;
}
