// The sheet that says why: asked for slot by slot, the last one asked for wins; on phones it has
// three heights.
import { findElements } from "../elements.js";

const QUIET = 60;
const HEIGHTS = ["action", "reason", "all"];
const phone = matchMedia("(max-width: 720px)");

/**
 * @type {(
 *   place: HTMLElement,
 *   address: string,
 * ) => { show: (instant: string, chosen: boolean) => void }}
 */
export function followSheet(place, address) {
  /** @type {number | undefined} */
  let timer;
  /** @type {AbortController | null} */
  let asked = null;
  /** @type {string | null} */
  let shown = null;
  /** @type {string | null} */
  let said = null;
  // The slot that the sheet tells of: what shall come is another one for a moment.
  /** @type {string | null} */
  let written = null;

  /** @param {string} instant */
  const load = async (instant) => {
    asked?.abort();
    asked = new AbortController();
    try {
      const answer = await fetch(`${address}?at=${encodeURIComponent(instant)}`, {
        headers: { "HX-Request": "true" },
        signal: asked.signal,
      });
      const text = await answer.text();
      // Nothing of it is new: what is being chosen in it stays.
      if (text === said) return;
      const keep = instant === written ? keepChoices(place) : () => {};
      place.innerHTML = said = text;
      written = instant;
      keep();
      window.htmx?.process(place);
      arm();
    } catch (error) {
      const away =
        error instanceof TypeError ||
        (error instanceof DOMException && error.name === "AbortError");
      if (!away) throw error;
    }
  };
  const arm = () => {
    const [handle] = findElements("#handle", HTMLElement, place);
    if (!handle) return;
    handle.hidden = false;
    handle.onclick = () =>
      setHeight(HEIGHTS[(HEIGHTS.indexOf(place.dataset.height ?? "") + 1) % HEIGHTS.length]);
    handle.setAttribute("aria-expanded", String(place.dataset.height !== HEIGHTS[0]));
  };
  const setHeight = (/** @type {string} */ height) => {
    place.dataset.height = height;
    arm();
  };
  const fit = () => {
    if (phone.matches) place.dataset.height ??= HEIGHTS[0];
    else delete place.dataset.height;
    arm();
  };
  phone.addEventListener("change", fit);
  for (const name of ["luna:refresh", "luna:news"])
    document.body.addEventListener(name, () => shown && load(shown));
  fit();

  return {
    // `chosen`: by the reader, who wants to read it; not by the page itself.
    show(instant, chosen) {
      if (instant === shown) return;
      const first = shown === null;
      shown = instant;
      if (first && !chosen) {
        written = instant;
        return;
      }
      if (chosen && phone.matches && place.dataset.height === HEIGHTS[0]) setHeight(HEIGHTS[1]);
      clearTimeout(timer);
      timer = setTimeout(() => shown && load(shown), QUIET);
    },
  };
}

// Returns what puts back, once the same slot is told anew, what was chosen in it and what has the
// focus.
/** @type {(place: HTMLElement) => () => void} */
function keepChoices(place) {
  const chosen = findElements("select", HTMLSelectElement, place).filter(
    (each) => each.selectedIndex > 0,
  );
  const values = new Map(chosen.map(({ name, value }) => [name, value]));
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  return () => {
    for (const select of findElements("select", HTMLSelectElement, place)) {
      const value = values.get(select.name);
      if ([...select.options].some((option) => option.value === value)) select.value = value ?? "";
    }
    if (focused instanceof HTMLSelectElement)
      findElements(`select[name="${focused.name}"]`, HTMLSelectElement, place)[0]?.focus();
    if (focused instanceof HTMLButtonElement)
      findElements(`button[value="${focused.value}"]`, HTMLButtonElement, place)[0]?.focus();
  };
}
