// Server-sent events out of a response's body, as they come. Source: WHATWG HTML, section 9.2.6.

// Takes text piece by piece; returns the events that have ended. What is left over waits for the
// next piece.
/** @typedef {{ name: string, data: string }} StreamEvent */

/** @type {() => (text: string) => StreamEvent[]} */
export function createParser() {
  let rest = "";
  let name = "";
  /** @type {string[]} */
  let data = [];

  const take = (/** @type {string} */ line) => {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") name = value;
    if (field === "data") data.push(value);
  };

  return (text) => {
    /** @type {StreamEvent[]} */
    const events = [];
    const lines = (rest + text).split(/\r\n|\n|\r(?=.)/s);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line !== "") {
        take(line);
        continue;
      }
      if (data.length) events.push({ name: name || "message", data: data.join("\n") });
      name = "";
      data = [];
    }
    return events;
  };
}

/** @param {Response} response */
export async function* readEvents(response) {
  const parse = createParser();
  if (!response.body) throw new Error("a stream without a body");
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    yield* parse(value);
  }
}

// What an event says: text as it is, or what stands in a document under one of these names.
/** @type {(data: string, ...names: string[]) => string} */
export function textOf(data, ...names) {
  try {
    const said = JSON.parse(data);
    if (typeof said === "string") return said;
    return names.map((name) => said?.[name]).find((text) => typeof text === "string") ?? "";
  } catch {
    return data;
  }
}
