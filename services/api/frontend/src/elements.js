// What a page has for its script: what is missing is named where it is looked for.

/**
 * @template {Element} T
 * @param {string} selector
 * @param {new () => T} kind
 * @param {ParentNode} [place]
 * @returns {T}
 */
export function findElement(selector, kind, place = document) {
  const found = place.querySelector(selector);
  if (found instanceof kind) return found;
  throw new Error(`${selector} is no ${kind.name} of this page`);
}

/**
 * @template {Element} T
 * @param {string} selector
 * @param {new () => T} kind
 * @param {ParentNode} [place]
 * @returns {T[]}
 */
export function findElements(selector, kind, place = document) {
  return [...place.querySelectorAll(selector)].flatMap((each) =>
    each instanceof kind ? [each] : [],
  );
}

/**
 * @template {Element} T
 * @param {Event} event
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T | null}
 */
export function closestElement({ target }, selector, kind) {
  const found = target instanceof Element ? target.closest(selector) : null;
  return found instanceof kind ? found : null;
}

/**
 * @template {string} Name
 * @param {HTMLElement | SVGElement} element
 * @param {Name[]} names
 * @returns {Record<Name, string>}
 */
export function readData({ dataset }, ...names) {
  const missing = names.filter((name) => dataset[name] === undefined);
  if (missing.length) throw new Error(`data of this page lacks ${missing.join(", ")}`);
  return /** @type {Record<Name, string>} */ (
    Object.fromEntries(names.map((name) => [name, dataset[name]]))
  );
}
