// Server-sent events out of a response's body, as they come. Source: WHATWG HTML, section 9.2.6.

// Takes text piece by piece; returns the events that have ended. What is left over waits for the next piece.
export function createParser() {
  let rest = "";
  let name = "";
  let data = [];

  const take = (line) => {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") name = value;
    if (field === "data") data.push(value);
  };

  return (text) => {
    const events = [];
    const lines = (rest + text).split(/\r\n|\n|\r(?=.)/s);
    rest = lines.pop();
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

export async function* readEvents(response) {
  const parse = createParser();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    yield* parse(value);
  }
}

// What an event says: text as it is, or what stands in a document under one of these names.
export function textOf(data, ...names) {
  try {
    const said = JSON.parse(data);
    if (typeof said === "string") return said;
    return names.map((name) => said?.[name]).find((text) => typeof text === "string") ?? "";
  } catch {
    return data;
  }
}
