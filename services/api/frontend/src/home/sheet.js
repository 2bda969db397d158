// The sheet that says why: asked for slot by slot, the last one asked for wins; on phones it has three heights.
const QUIET = 60;
const HEIGHTS = ["action", "reason", "all"];
const phone = matchMedia("(max-width: 720px)");

export function followSheet(place, address) {
  let timer;
  let asked = null;
  let shown = null;
  let said = null;

  const load = async () => {
    asked?.abort();
    asked = new AbortController();
    try {
      const answer = await fetch(`${address}?at=${encodeURIComponent(shown)}`, { headers: { "HX-Request": "true" }, signal: asked.signal });
      const text = await answer.text();
      // Nothing of it is new: what is being chosen in it stays.
      if (text === said) return;
      place.innerHTML = said = text;
      window.htmx?.process(place);
      arm();
    } catch (error) {
      if (error.name !== "AbortError" && !(error instanceof TypeError)) throw error;
    }
  };
  const arm = () => {
    const handle = place.querySelector("#handle");
    if (!handle) return;
    handle.hidden = false;
    handle.onclick = () => setHeight(HEIGHTS[(HEIGHTS.indexOf(place.dataset.height) + 1) % HEIGHTS.length]);
    handle.setAttribute("aria-expanded", String(place.dataset.height !== HEIGHTS[0]));
  };
  const setHeight = (height) => {
    place.dataset.height = height;
    arm();
  };
  const fit = () => {
    if (phone.matches) place.dataset.height ??= HEIGHTS[0];
    else delete place.dataset.height;
    arm();
  };
  phone.addEventListener("change", fit);
  for (const name of ["luna:refresh", "luna:news"]) document.body.addEventListener(name, () => shown && load());
  fit();

  return {
    // `chosen`: by the reader, who wants to read it; not by the page itself.
    show(instant, chosen) {
      if (instant === shown) return;
      const first = shown === null;
      shown = instant;
      if (first && !chosen) return;
      if (chosen && phone.matches && place.dataset.height === HEIGHTS[0]) setHeight(HEIGHTS[1]);
      clearTimeout(timer);
      timer = setTimeout(load, QUIET);
    },
  };
}
