// Shows the last state of a site's pages while there is no connection: never without saying of when
// it is, and to nobody but the account that saw it. Kept are pages below ui/sites, what they fetch
// for themselves, and the files they load. Nothing that changes something is kept or sent again.
const PAGES = "luna-pages-";
const PARTS = "luna-parts";
const FILES = "luna-files";
const MOST = { [PAGES]: 30, [PARTS]: 90, [FILES]: 60 };
const ACCOUNT = "X-Luna-Account";
const KEPT_AT = "X-Luna-Kept-At";
// What stands before a gateway says these where the gateway itself is away.
const AWAY = new Set([502, 503, 504]);
const base = new URL(self.registration.scope).pathname;
// Windows that show an old page: what they fetch is old as well.
const old = new Set();

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const path = pathOf(request.url);
  if (path === null) return;
  if (request.method !== "GET") {
    if (path === "ui/logout") event.waitUntil(forget());
    return;
  }
  if (path.startsWith("static/")) event.respondWith(answerFile(event));
  else if (request.mode === "navigate" && (path === "" || path.startsWith("ui/")))
    event.respondWith(answerPage(event, path));
  else if (isPart(path) && !request.headers.get("Accept")?.includes("text/event-stream"))
    event.respondWith(answerPart(event));
});

// A page that was there before this script tells what it has loaded, itself first: parts are kept
// of a page alone that is kept. It hears when that is done, to name what came before.
let told = Promise.resolve();
self.addEventListener("message", (event) => {
  told = told.then(() => Promise.all((event.data?.keep ?? []).map(keepLoaded)));
  event.waitUntil(told.then(() => event.source?.postMessage("kept")));
});

// The path below where this script is, which below Home Assistant's ingress is not the root; null
// for what is somewhere else.
function pathOf(url) {
  const { origin, pathname } = new URL(url);
  return origin === self.location.origin && pathname.startsWith(base)
    ? pathname.slice(base.length)
    : null;
}

function isPage(path) {
  return path.startsWith("ui/sites/");
}

function isPart(path) {
  return (isPage(path) && !path.endsWith("/events")) || /^v1\/sites\/[^/]+\/timeline$/.test(path);
}

async function answerPage(event, path) {
  let response;
  try {
    response = await fetch(event.request);
  } catch {
    return (await findOld(event, path)) ?? Response.error();
  }
  if (AWAY.has(response.status) && !response.headers.has(ACCOUNT))
    return (await findOld(event, path)) ?? response;
  if (path === "ui/login") await forget();
  else if (isPage(path) && response.ok)
    event.waitUntil(keepPage(event.request.url, response.clone()));
  return response;
}

async function answerPart(event) {
  if (old.has(event.clientId))
    return (
      (await (await caches.open(PARTS)).match(event.request.url, { ignoreVary: true })) ??
      Response.error()
    );
  const response = await fetch(event.request);
  if (response.ok) event.waitUntil(keepPart(event.request.url, response.clone()));
  return response;
}

async function answerFile(event) {
  const cache = await caches.open(FILES);
  const kept = await cache.match(event.request.url, { ignoreVary: true });
  if (kept) return kept;
  const response = await fetch(event.request);
  if (response.ok) event.waitUntil(keep(FILES, FILES, event.request.url, response.clone()));
  return response;
}

async function keepLoaded(url) {
  const path = pathOf(url);
  if (path === null) return;
  try {
    if (path.startsWith("static/")) await keep(FILES, FILES, url, await fetch(url));
    else if (isPage(path) && url === (await newestWindow()))
      await keepPage(url, await fetch(url, { headers: { Accept: "text/html" } }));
    else if (isPart(path))
      await keepPart(url, await fetch(url, { headers: { "HX-Request": "true" } }));
  } catch {
    // Away already: it is kept the next time.
  }
}

async function newestWindow() {
  const [window] = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  return window?.url.split("#")[0];
}

// Pages of another account go before the first one of this one is kept.
async function keepPage(url, response) {
  const account = response.headers.get(ACCOUNT);
  if (!response.ok || !account) return;
  const name = PAGES + account;
  if ((await findPages()) !== name) await forget();
  await keep(PAGES, name, url, response);
}

async function keepPart(url, response) {
  const stream = response.headers.get("Content-Type")?.includes("text/event-stream");
  if (response.ok && !stream && (await findPages())) await keep(PARTS, PARTS, url, response);
}

async function keep(kind, name, url, response) {
  if (!response.ok) return;
  const headers = new Headers(response.headers);
  // The body is unpacked.
  for (const each of ["Content-Encoding", "Content-Length", "Vary"]) headers.delete(each);
  headers.set(KEPT_AT, new Date().toISOString());
  const body = await response.blob();
  const cache = await caches.open(name);
  // The newest stands last.
  await cache.delete(url, { ignoreVary: true });
  await cache.put(url, new Response(body, { headers }));
  const kept = await cache.keys();
  await Promise.all(kept.slice(0, -MOST[kind]).map((each) => cache.delete(each)));
}

async function findPages() {
  return (await caches.keys()).find((name) => name.startsWith(PAGES));
}

async function forget() {
  const names = await caches.keys();
  await Promise.all(
    names
      .filter((name) => name.startsWith(PAGES) || name === PARTS)
      .map((name) => caches.delete(name)),
  );
}

async function findOld(event, path) {
  const name = await findPages();
  if (!name) return null;
  const cache = await caches.open(name);
  const kept =
    (await cache.match(event.request.url, { ignoreVary: true })) ??
    (path === "" ? await findNewest(cache) : null);
  if (!kept) return null;
  old.add(event.resultingClientId);
  return markOld(kept);
}

// Whoever opens the app is shown the page that they looked at last.
async function findNewest(cache) {
  const newest = (await cache.keys()).at(-1);
  return newest && cache.match(newest, { ignoreVary: true });
}

async function markOld(kept) {
  const page = await kept.text();
  const [body, said] = [
    page.match(/<body[^>]*>/)?.[0],
    page.match(/<body[^>]*\sdata-offline="([^"]*)"/)?.[1],
  ];
  // A page that cannot be marked is not shown.
  if (!body || !said) return Response.error();
  const language = page.match(/<html lang="([\w-]+)"/)?.[1] ?? "en";
  // By the site's clock, as all of its page.
  const timeZone = body.match(/\sdata-zone="([^"]*)"/)?.[1];
  const time = sayTime(new Date(kept.headers.get(KEPT_AT)), language, timeZone);
  const sentence = said.replace("{time}", time);
  const mark = `<p class="stale" id="stale" role="status">${sentence}</p>`;
  return new Response(page.replace(body, () => body + mark), { headers: kept.headers });
}

function sayTime(at, language, timeZone) {
  const clock = at.toLocaleTimeString(language, {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone,
  });
  const sayDay = (day) =>
    day.toLocaleDateString(language, {
      weekday: "short",
      day: "numeric",
      month: "short",
      timeZone,
    });
  return sayDay(at) === sayDay(new Date()) ? clock : `${sayDay(at)}, ${clock}`;
}
