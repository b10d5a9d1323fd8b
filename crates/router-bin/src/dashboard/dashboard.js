"use strict";
// Text from the server is set as text, never as markup.

const STREAM = "/v1/stats/stream";
const STATS = "/v1/stats";
const MIN_WINDOW_MS = 60000; // the sparkline's shortest range
const WINDOW_MS = 300000; // and its longest
const BUCKET_MS = 5000; // the time that a point of it covers
const POLL_MS = 2000;
const STREAM_RETRY_MS = 10000;
const SILENCE_MS = 15000; // a stream silent for longer counts as dead
const RECENT_ROWS = 50;

const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");
const oneDecimal = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** Who is logged in; `null` before that. */
let session = null;
const may = (scope) => session !== null && session.scopes.includes(scope);

// ---- formatting

const known = (value) => typeof value === "number" && Number.isFinite(value);
const count = (value) => (known(value) ? number.format(value) : "–");
const percent = (value, digits = 1) => (known(value) ? `${value.toFixed(digits)} %` : "–");
const share = (part, whole) => (whole > 0 ? (100 * part) / whole : NaN);

function micros(value) {
  if (!known(value)) return "–";
  if (value < 1000) return `${oneDecimal.format(value)} µs`;
  if (value < 1e6) return `${(value / 1e3).toPrecision(3)} ms`;
  return `${(value / 1e6).toPrecision(3)} s`;
}

function bytes(value) {
  if (!known(value)) return "–";
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
  return `${oneDecimal.format(value)} ${units[unit]}`;
}

function duration(seconds) {
  if (!known(seconds)) return "–";
  const s = Math.floor(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

const ttl = (seconds) => (known(seconds) ? (seconds < 60 ? `${oneDecimal.format(seconds)} s` : duration(seconds).replace(/ 0 (s|min|h)$/, "")) : "–");

function clockTime(text) {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? String(text ?? "–") : at.toLocaleTimeString("en-GB");
}

// ---- the document

const changed = new Map();
/** Whether `value` differs from the last one drawn under `name`. */
function differs(name, value) {
  const text = JSON.stringify(value) ?? "";
  if (changed.get(name) === text) return false;
  changed.set(name, text);
  return true;
}

function put(id, text) {
  const node = $(id);
  if (node.textContent !== text) node.textContent = text;
}

function element(name, text, className) {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
}

function tableRow(cells, header = true) {
  const row = document.createElement("tr");
  cells.forEach((cell, at) => {
    const node = element(header && at === 0 ? "th" : "td");
    if (header && at === 0) node.scope = "row";
    if (cell instanceof Node) node.append(cell);
    else { node.textContent = cell; node.title = cell.length > 24 ? cell : ""; }
    row.append(node);
  });
  return row;
}

function emptyRow(columns, text) {
  const row = document.createElement("tr");
  const cell = element("td", text, "empty");
  cell.colSpan = columns;
  row.append(cell);
  return row;
}

function stack(id, parts) {
  if (!differs(id, parts)) return;
  $(id).replaceChildren(...parts.filter(([, value]) => value > 0).map(([name, value]) => {
    const part = element("span", undefined, name);
    part.style.flexGrow = String(value);
    return part;
  }));
}

/** hit, miss or bypass, as a Cache-Status field (RFC 9211) tells it. */
function outcome(status) {
  const text = String(status ?? "");
  if (/;\s*hit\b(?!\s*=\s*\?0)/.test(text)) return "hit";
  return text === "" || /;\s*fwd\s*=\s*(bypass|method)\b/.test(text) ? "bypass" : "miss";
}

// ---- history, for rates per second and the sparkline

let history = [];

function remember(stats) {
  const now = Date.now();
  const point = { at: now, up: stats.uptime_seconds, hit: stats.requests?.hit ?? 0, miss: stats.requests?.miss ?? 0, total: stats.requests?.total ?? 0 };
  const last = history[history.length - 1];
  // Counters fell: the process was restarted, so the history starts again.
  if (last && (point.up < last.up || point.total < last.total)) history = [];
  history.push(point);
  history = history.filter((kept) => kept.at >= now - WINDOW_MS - BUCKET_MS);
}

function perSecond() {
  const last = history[history.length - 1];
  const first = history.find((point) => point.at >= last.at - 10000);
  const seconds = known(last.up - first.up) ? last.up - first.up : (last.at - first.at) / 1000;
  return seconds > 0 ? (last.total - first.total) / seconds : NaN;
}

/** The hit rate of each bucket of the last `span` milliseconds that had look-ups. */
function buckets(span) {
  const end = history[history.length - 1].at;
  const points = [];
  let before = history[0];
  let bucket = Math.floor(before.at / BUCKET_MS);
  const close = (point) => {
    const hits = point.hit - before.hit;
    const asked = hits + point.miss - before.miss;
    if (asked > 0) points.push({ x: 1 - (end - point.at) / span, y: hits / asked });
    before = point;
  };
  let previous = before;
  for (const point of history) {
    const current = Math.floor(point.at / BUCKET_MS);
    if (current !== bucket) { close(previous); bucket = current; }
    previous = point;
  }
  close(previous);
  return points.filter((point) => point.x >= 0);
}

function svg(name, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

function drawSpark() {
  const oldest = Date.now() - history[0].at;
  const minutes = Math.ceil(Math.min(Math.max(oldest, MIN_WINDOW_MS), WINDOW_MS) / 60000);
  const points = buckets(minutes * 60000);
  put("spark-from", `${minutes} min ago`);
  const x = (point) => (point.x * 300).toFixed(1);
  const y = (point) => (53 - point.y * 50).toFixed(1);
  // A lone point is drawn as a dot: a line of no length with round ends.
  const line = points.map((point, at) => `${at ? "L" : "M"}${x(point)} ${y(point)}`).join("") + (points.length === 1 ? "h0" : "");
  const parts = [3, 28, 53].map((at) => svg("line", { class: "base", x1: 0, x2: 300, y1: at, y2: at }));
  if (line) parts.push(svg("path", { class: "line", d: line }));
  $("spark").replaceChildren(...parts);
  const last = points[points.length - 1];
  put("spark-note", last ? `last: ${percent(last.y * 100, 0)}` : "hit rate, every 5 s");
}

// ---- drawing

let shown = null;

function draw(stats) {
  shown = stats;
  const lookups = stats.cache_stats?.total_requests ?? 0;
  put("hit-rate", lookups > 0 ? percent(stats.hit_rate) : "–");
  put("hit-rate-note", lookups > 0 ? `${count(stats.cache_stats.hits)} hits in ${count(lookups)} look-ups` : "No look-ups yet");
  put("uptime", `up ${duration(stats.uptime_seconds)}`);
  drawRequests(stats);
  drawCache(stats);
  drawLatency(stats.latency_us ?? {});
  drawClasses(stats.classes ?? {});
  drawRecent((stats.recent ?? []).slice(0, RECENT_ROWS));
  $("recent-note").hidden = stats.ids_shown !== false;
  drawCaching(stats.caching_enabled);
  drawSpark();
}

function drawRequests(stats) {
  const requests = stats.requests ?? {};
  const rate = perSecond();
  put("requests-total", count(requests.total));
  put("requests-rate", known(rate) ? oneDecimal.format(rate) : "–");
  for (const name of ["hit", "miss", "bypass"]) put(`requests-${name}`, count(requests[name]));
  stack("requests-bar", ["hit", "miss", "bypass"].map((name) => [name, requests[name] ?? 0]));
  const { made = 0, saved = 0 } = stats.database_queries ?? {};
  put("queries-saved", made + saved > 0 ? percent(share(saved, made + saved)) : "–");
  put("queries-note", made + saved > 0 ? `of ${count(made + saved)} without the cache` : "No queries yet");
  put("queries-saved-2", count(saved));
  put("queries-made", count(made));
  stack("queries-bar", [["hit", saved], ["miss", made]]);
}

function drawCache(stats) {
  const { cache_unit: unit, cache_capacity: limit } = stats;
  const inBytes = unit === "bytes";
  const used = inBytes ? stats.cache_weight : stats.cache_size;
  const shownAs = inBytes ? bytes : (value) => `${count(value)} entries`;
  put("cache-size", count(stats.cache_size));
  put("capacity-note", known(limit) ? `${shownAs(used)} of ${shownAs(limit)}, ${percent(share(used, limit))} full` : bytes(stats.cache_weight));
  if (known(limit)) stack("capacity-bar", [["hit", used], ["rest", Math.max(0, limit - used)]]);
  const events = [["evicted", stats.evictions], ["expired", stats.expirations], ["invalidated", stats.cache_stats?.invalidations], ["coalesced", stats.coalesced], ["served stale", stats.stale], ["no such member", stats.negative], ["early refreshes", stats.early_refreshes], ["fills refused", stats.refused_fills], ["fills failed", stats.failed_fills]];
  put("cache-events", events.filter(([, value]) => value > 0).map(([name, value]) => `${count(value)} ${name}`).join(", "));
}

function drawLatency(latency) {
  if (!differs("latency", latency)) return;
  const { hit = {}, miss = {}, bypass = {} } = latency;
  const quantiles = ["p50", "p95", "p99"];
  $("latency").replaceChildren(...quantiles.map((name) => {
    const ratio = hit.count && miss.count && hit[name] > 0 ? miss[name] / hit[name] : NaN;
    const cell = (of) => (of.count ? micros(of[name]) : "–");
    return tableRow([name, cell(hit), cell(miss), cell(bypass), known(ratio) ? `${oneDecimal.format(ratio)}×` : "–"]);
  }));
  const most = Math.max(0, ...[hit, miss].flatMap((of) => (of.count ? quantiles.map((name) => of[name] ?? 0) : [])));
  const meters = most === 0 ? [] : quantiles.map((name) => {
    const meter = element("div", undefined, "meter");
    for (const [label, of] of [["hit", hit], ["miss", miss]]) {
      const bar = element("div", undefined, `bar ${label}`);
      bar.style.width = of.count ? `${(100 * (of[name] ?? 0)) / most}%` : "0";
      meter.append(element("span", `${name} ${label}`), bar);
    }
    return meter;
  });
  $("latency-bars").replaceChildren(...meters);
  const counted = [["hits", hit], ["misses", miss], ["bypasses", bypass]].filter(([, of]) => of.count);
  put("latency-note", counted.length ? `Over ${counted.map(([name, of]) => `${count(of.count)} ${name}`).join(", ")}` : "No requests yet");
}

function drawClasses(classes) {
  if (!differs("classes", classes)) return;
  const rows = Object.entries(classes).map(([name, c]) =>
    tableRow([name, ttl(c.ttl_seconds), count(c.entries), count(c.hits), count(c.misses), percent(share(c.hits, c.hits + c.misses)), count(c.stale), count(c.negative), count(c.early_refreshes), count(c.expirations), count(c.evictions), count(c.invalidations)]));
  $("classes").replaceChildren(...(rows.length ? rows : [emptyRow(12, "No classes")]));
}

function statusCell(status) {
  const what = outcome(status);
  const cell = document.createDocumentFragment();
  cell.append(element("span", what, `chip ${what}`), " ", element("code", String(status ?? "")));
  return cell;
}

function drawRecent(recent) {
  if (!differs("recent", recent)) return;
  const text = (value) => (value === null || value === undefined || value === "" ? "–" : typeof value === "string" ? value : JSON.stringify(value));
  const rows = recent.map((r) => tableRow([clockTime(r.at), statusCell(r.cache_status), micros(r.latency_us), text(r.intent), text(r.user_id), text(r.user_role), text(r.source)], false));
  $("recent").replaceChildren(...(rows.length ? rows : [emptyRow(7, "No requests yet. Ask something above, or POST to /v1/route.")]));
}

function drawCaching(enabled) {
  const button = $("caching");
  if (typeof enabled !== "boolean" || button.dataset.busy) return;
  button.disabled = !may("admin");
  button.setAttribute("aria-checked", String(enabled));
  put("caching-text", enabled ? "Caching on" : "Caching off");
  $("caching-banner").hidden = enabled;
}

// ---- the stream of statistics

let paused = false;
let stream = null;
let polling = null;
let lastHeard = 0;
let state = "connecting";

function connection(next) {
  state = next;
  const names = { out: "Not logged in", connecting: "Connecting", live: "Live", reconnecting: "Reconnecting", polling: "Polling; the live stream is down", offline: "No connection to the service; trying again" };
  const isPaused = paused && next !== "offline" && next !== "out";
  $("connection").dataset.state = isPaused ? "paused" : next;
  put("connection", isPaused ? "Paused" : names[next]);
}

function take(stats) {
  if (stats === null || typeof stats !== "object") return;
  remember(stats);
  if (!paused) draw(stats);
  else shown = stats;
}

function listen() {
  stream?.close();
  if (session === null) return;
  stream = new EventSource(STREAM);
  const heard = (event) => {
    lastHeard = Date.now();
    stopPolling();
    connection("live");
    try { take(JSON.parse(event.data)); } catch (error) { console.error("unreadable statistics", error); }
  };
  stream.onmessage = heard;
  stream.addEventListener("stats", heard);
  stream.onopen = () => { lastHeard = Date.now(); };
  stream.onerror = () => {
    // The browser retries by itself unless the answer was final.
    if (state === "live") connection("reconnecting");
    startPolling();
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, STREAM_RETRY_MS);
  };
}

async function poll() {
  try {
    const response = await fetch(STATS, { headers: { accept: "application/json" }, signal: AbortSignal.timeout(5000) });
    if (response.status === 401) { leave("The log-in has ended."); return; }
    if (!response.ok) throw new Error(String(response.status));
    const stats = await response.json();
    if (polling === null) return;
    connection("polling");
    take(stats);
  } catch {
    if (polling !== null) connection("offline");
  }
}

function startPolling() {
  if (polling !== null) return;
  polling = setInterval(poll, POLL_MS);
  poll();
}

function stopPolling() {
  clearInterval(polling);
  polling = null;
}

// A connection may die silently: open it again then.
setInterval(() => {
  if (state === "live" && Date.now() - lastHeard > SILENCE_MS) {
    connection("reconnecting");
    startPolling();
    listen();
  }
}, POLL_MS);

// ---- actions

/** Sends JSON; resolves to the response, its body, and how long it took. */
async function send(method, path, body, headers = {}) {
  const begun = performance.now();
  const response = await fetch(path, { method, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
  const text = await response.text();
  const took = performance.now() - begun;
  let value = null;
  try { value = JSON.parse(text); } catch { /* a body that is no JSON is shown by its status alone */ }
  return { response, value, took };
}

/** What a failed request says: the problem's detail (RFC 9457) or its status. */
function problem({ response, value }) {
  const said = [value?.title, value?.detail].filter((part) => typeof part === "string" && part);
  return said.length ? `${response.status}: ${said.join(". ")}` : `The service answered ${response.status} ${response.statusText}`.trim();
}

const unreachable = (error) => `The service cannot be reached (${error.message})`;

function result(text, failed) {
  put("invalidated", text);
  $("invalidated").classList.toggle("error", failed);
}

$("caching").addEventListener("click", async () => {
  const button = $("caching");
  if (button.dataset.busy) return;
  const wanted = button.getAttribute("aria-checked") !== "true";
  button.dataset.busy = "1";
  put("caching-text", wanted ? "Turning on" : "Turning off");
  let enabled = !wanted;
  let failure = "";
  try {
    const sent = await send("PUT", "/v1/caching", { enabled: wanted });
    if (sent.response.ok && typeof sent.value?.enabled === "boolean") enabled = sent.value.enabled;
    else failure = problem(sent);
  } catch (error) {
    failure = unreachable(error);
  }
  delete button.dataset.busy;
  drawCaching(enabled);
  if (failure) result(`Caching was not changed. ${failure}`, true);
});

const invalidateForm = $("invalidate");

function suggest() {
  const by = invalidateForm.elements.by.value;
  const recent = shown?.recent ?? [];
  // Hashes of identifiers select nothing.
  const of = (member) => recent.filter(() => member === "intent" || shown.ids_shown).map((r) => r[member]).filter((value) => typeof value === "string");
  const values = { user_id: of("user_id"), intent: of("intent"), role: of("user_role"), class: Object.keys(shown?.classes ?? {}) }[by] ?? [];
  const examples = { user_id: "BEN-000001", intent: "claim_status", role: "beneficiary", class: "live_data", tag: "claim:CLM-2025-000001", pattern: "claim_status/BEN-*", key: "32 hexadecimal digits" };
  const all = by === "all";
  const input = invalidateForm.elements.value;
  $("value-label").hidden = all;
  input.disabled = all;
  input.placeholder = examples[by] ?? "";
  $("known").replaceChildren(...[...new Set(values)].sort().map((value) => { const option = element("option"); option.value = value; return option; }));
}

invalidateForm.elements.by.addEventListener("change", () => { invalidateForm.elements.value.value = ""; suggest(); });
invalidateForm.elements.value.addEventListener("focus", suggest);
invalidateForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  const by = invalidateForm.elements.by.value;
  if (by === "all" && !confirm("Remove every entry from the cache?")) return;
  const button = invalidateForm.querySelector("button");
  button.disabled = true;
  try {
    const sent = await send("POST", "/v1/invalidate", { [by]: by === "all" ? true : invalidateForm.elements.value.value });
    const removed = sent.value?.invalidated;
    if (sent.response.ok && known(removed)) result(`${count(removed)} ${removed === 1 ? "entry" : "entries"} removed`, false);
    else result(problem(sent), true);
  } catch (error) {
    result(unreachable(error), true);
  }
  button.disabled = false;
});

$("ask").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target.elements;
  const who = {};
  if (form.user_id.value) who.user_id = form.user_id.value;
  if (form.user_role.value) who.user_role = form.user_role.value;
  const button = event.target.querySelector("button");
  button.disabled = true;
  try {
    showAnswer(await send("POST", "/v1/route", { message: form.message.value, user_context: who }, form.no_cache.checked ? { "cache-control": "no-cache" } : {}));
  } catch (error) {
    $("answer").replaceChildren(element("p", unreachable(error), "error-text"));
  }
  button.disabled = false;
});

function showAnswer(sent) {
  const { response, value, took } = sent;
  if (!response.ok) {
    $("answer").replaceChildren(element("p", problem(sent), "error-text"));
    return;
  }
  const facts = element("div", undefined, "facts");
  const status = response.headers.get("cache-status");
  const age = response.headers.get("age");
  const line = element("span");
  line.append(statusCell(status ?? ""));
  facts.append(line, element("span", `Age: ${age === null ? "–" : `${age} s`}`), element("span", `took ${micros(took * 1000)}`));
  const confidence = known(value?.confidence) ? `, confidence ${value.confidence.toFixed(2)}` : "";
  facts.append(element("span", `${value?.intent ?? "–"}${confidence}, from ${value?.source ?? "–"}`, "soft"));
  const body = element("pre", JSON.stringify(value?.data ?? value, null, 2));
  body.tabIndex = 0;
  $("answer").replaceChildren(facts, body);
}

$("pause").addEventListener("click", () => {
  paused = !paused;
  $("pause").setAttribute("aria-pressed", String(paused));
  put("pause", paused ? "Resume updates" : "Pause updates");
  connection(state);
  if (!paused && shown) draw(shown);
});

drawLatency({});
drawRecent([]);
suggest();
