// Numbers as the site's reader writes them: a true minus, no-break space before units, never "−0".
const UNKNOWN = "–";
const NBSP = "\u00a0";

/**
 * @param {{ locale: string, priceScale: number, priceUnit: string, priceDecimals: number }} site
 */
export function numbersOf({ locale, priceScale, priceUnit, priceDecimals }) {
  /** @type {(value: number | null, digits?: number) => string} */
  const number = (value, digits = 1) => {
    if (value == null) return UNKNOWN;
    const rounded = Number(value.toFixed(digits)) || 0;
    return rounded
      .toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits })
      .replace("-", "−");
  };
  /** @type {(text: string, name: string) => string} */
  const unit = (text, name) => (text === UNKNOWN ? text : `${text}${NBSP}${name}`);
  /** @param {number | null} value */
  const signed = (value) => (value != null && value >= 0.05 ? "+" : "");
  return {
    number,
    price: (/** @type {number | null} */ value) =>
      unit(number(value == null ? null : value * priceScale, priceDecimals), priceUnit),
    power: (/** @type {number | null} */ value) => unit(number(value), "kW"),
    signedPower: (/** @type {number | null} */ value) => signed(value) + unit(number(value), "kW"),
    share: (/** @type {number | null} */ value) =>
      value == null ? UNKNOWN : value.toLocaleString(locale, { style: "percent" }),
  };
}
