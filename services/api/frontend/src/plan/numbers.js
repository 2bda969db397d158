// Numbers as the site's reader writes them: a true minus, no-break space before units, never "−0".
const UNKNOWN = "–";
const NBSP = "\u00a0";

export function numbersOf({ locale, priceScale, priceUnit, priceDecimals }) {
  const number = (value, digits = 1) => {
    if (value == null) return UNKNOWN;
    const rounded = Number(value.toFixed(digits)) || 0;
    return rounded.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
  };
  const unit = (text, name) => (text === UNKNOWN ? text : `${text}${NBSP}${name}`);
  const signed = (value) => (value != null && value >= 0.05 ? "+" : "");
  return {
    number,
    price: (value) => unit(number(value == null ? null : value * priceScale, priceDecimals), priceUnit),
    power: (value) => unit(number(value), "kW"),
    signedPower: (value) => signed(value) + unit(number(value), "kW"),
    share: (value) => (value == null ? UNKNOWN : value.toLocaleString(locale, { style: "percent" })),
  };
}
