"use strict";
// Asks /status and /requests every two seconds while it can be seen, and puts what they say in as text.

const interval = 2000;
const patience = 8000;
const mostTargets = 30;
const $ = (id) => document.getElementById(id);

/** An element with properties, and children that are elements or texts; what is nullish or false is left out. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name === "className" ? "class" : name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const cell = (properties, ...children) => make("td", { role: "cell", ...properties }, ...children);
const state = (tone, ...text) => make("span", { className: "state", "data-tone": tone }, ...text);
const chip = (tone, ...text) => make("span", { className: "chip", "data-tone": tone }, ...text);
const unseen = (text) => make("span", { className: "hidden" }, text);

/** Sets a text only where it changes, so that a selection in it stays. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Draws a part again only when what it shows has changed: the keyboard's place is kept. */
function draw(node, shown, parts) {
  const text = JSON.stringify(shown);
  if (node.shown === text) return;
  node.shown = text;
  node.replaceChildren(...parts().flat().filter(Boolean));
}

// Figures for people

const whole = new Intl.NumberFormat("en");
const plural = (count, one, many = `${one}s`) => `${whole.format(count)} ${count === 1 ? one : many}`;
const short = (count) => (count < 10000 ? whole.format(count)
  : count < 999500 ? `${(count / 1000).toFixed(count < 99950 ? 1 : 0)}k` : `${(count / 1e6).toFixed(1)}M`);

function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let place = 0;
  while (count >= 1024 && place < units.length - 1) { count /= 1024; place += 1; }
  return `${place === 0 || count >= 100 ? Math.round(count) : count.toFixed(1)} ${units[place]}`;
}

function span(milliseconds) {
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60000) return `${(milliseconds / 1000).toFixed(milliseconds < 10000 ? 2 : 1)} s`;
  return `${Math.floor(milliseconds / 60000)} min ${Math.floor((milliseconds % 60000) / 1000)} s`;
}

function lasting(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} days`;
}

const left = (seconds) => (seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`);
const clock = (time) => new Date(time).toLocaleTimeString([], { hour12: false });

function median(values) {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

// Times that go on between two answers

let clockAhead = 0;
const now = () => Date.now() + clockAhead;
const ago = (time) => make("span", { "data-time": time, title: new Date(time).toLocaleString() });

function tick() {
  for (const node of document.querySelectorAll("[data-time]")) {
    const seconds = Math.max(0, Math.round((now() - Date.parse(node.dataset.time)) / 1000));
    setText(node, seconds < 1 ? "now" : `${lasting(seconds)} ago`);
  }
  for (const node of document.querySelectorAll("[data-until]")) {
    setText(node, left(Math.max(0, Math.ceil((Number(node.dataset.until) - now()) / 1000))));
  }
}

// The API

const tokenKey = "sidecar.token";
let token = sessionStorage.getItem(tokenKey);

class Unauthorized extends Error {}

async function ask(path, method = "GET") {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const answer = await fetch(path, { method, headers, cache: "no-store", signal: AbortSignal.timeout(patience) });
  if (answer.status === 401) throw new Unauthorized();
  return answer;
}

async function read(path) {
  const answer = await ask(path);
  if (!answer.ok) throw new Error(`${path} answers ${answer.status}`);
  return answer.json();
}

/** What has just happened, for everybody: it is shown, and read out once. */
function say(text, tone = "none") {
  clearTimeout($("notice").calm);
  if (tone === "none") $("notice").calm = setTimeout(() => setText($("notice"), ""), 10000);
  $("notice").dataset.tone = tone;
  setText($("notice"), text);
}

/** Does what a button orders, and says how it went. */
async function order(path, done) {
  try {
    const answer = await ask(path, "POST");
    const text = (await answer.text()).trim();
    say(answer.ok ? done : `Refused: ${problem(text)}`, answer.ok ? "none" : "bad");
  } catch (error) {
    if (error instanceof Unauthorized) return wantToken();
    say("No answer from the sidecar.", "bad");
  }
  poll();
}

function problem(text) {
  try { return JSON.parse(text).problems.join("; "); } catch { return text; }
}

// The token

function wantToken() {
  clearTimeout(timer);
  const dialog = $("ask");
  $("ask-fault").textContent = token ? "That is not the token." : "";
  token = null;
  sessionStorage.removeItem(tokenKey);
  mood("none", "waiting for the token");
  if (!dialog.open) dialog.showModal();
  $("token").select();
}

$("ask").addEventListener("cancel", (event) => event.preventDefault());
$("ask").querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  token = $("token").value.trim();
  $("ask-fault").textContent = "";
  poll();
});

function tokenFits() {
  if (token) sessionStorage.setItem(tokenKey, token);
  if (!$("ask").open) return;
  $("token").value = "";
  $("ask").close();
}

// Polling

let timer = 0;
let isPolling = false;
let lastAnswer = null;
let isLost = false;
const isLive = () => $("live").getAttribute("aria-pressed") === "true";

async function poll() {
  if (isPolling) return;
  isPolling = true;
  clearTimeout(timer);
  const answers = await Promise.all([read("status"), read("requests")]).catch((error) => error);
  isPolling = false;
  if (answers instanceof Unauthorized) return wantToken();
  schedule();
  if (answers instanceof Error) return lost();
  found(...answers);
}

function found(status, recent) {
  tokenFits();
  if (isLost) say("The sidecar answers again.");
  isLost = false;
  lastAnswer = Date.now();
  clockAhead = Date.parse(status.time) - lastAnswer;
  show(status, recent.requests);
}

function lost() {
  mood("bad", "no answer");
  if (!isLost) say(`No answer since ${clock(lastAnswer ?? Date.now())}. What is shown may be old.`, "bad");
  isLost = true;
}

function schedule() {
  clearTimeout(timer);
  if (isLive() && !document.hidden) timer = setTimeout(poll, interval);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else if (isLive() && !$("ask").open) poll();
});

$("live").addEventListener("click", () => {
  const goesOn = !isLive();
  $("live").setAttribute("aria-pressed", String(goesOn));
  if (goesOn) poll();
  else clearTimeout(timer);
});

// What is shown

function mood(tone, text) {
  $("mood").dataset.tone = tone;
  setText($("mood"), text);
}

function show(status, requests) {
  if (status.draining) mood("warn", "draining");
  else mood(status.ready ? "good" : "warn", status.ready ? "ready" : "starting");
  draw($("version"), [status.version], () => [status.version]);
  showFigures(status, requests);
  showTargets(status);
  showRoutes(status);
  showExperiments(status.experiments, requests);
  showHops(status.hops);
  showCalibration(status.calibration);
  showConfiguration(status);
  showRequests(requests);
  tick();
}

function showFigures(status, requests) {
  const minute = requests.filter((request) => now() - Date.parse(request.time) < 60000);
  const isAll = minute.length === requests.length && requests.length === 100;
  const failed = requests.filter((request) => outcome(request) === "bad").length;
  const figures = [
    ["Requests, last minute", `${minute.length}${isAll ? "+" : ""}`],
    ["Failed of the last " + requests.length, String(failed), failed > 0 ? "bad" : null],
    ["Streams open", whole.format(status.streams)],
    ["Client connections", whole.format(status.connections)],
    ["Upstream connections", whole.format(status.upstreamConnections)],
    ["Moved conversations", whole.format(status.movedConversations)],
    ["Bodies held", bytes(status.bufferedBytes)],
    ["Running for", lasting(Math.max(0, Math.round((now() - Date.parse(status.started)) / 1000)))],
  ];
  draw($("figures"), figures, () => figures.map(([name, value, tone]) =>
    make("div", {}, make("dt", {}, name), make("dd", { "data-tone": tone }, value))));
}

// Breakers

const tones = { closed: "good", "half-open": "warn", open: "bad" };

function knownTargets(status) {
  const known = new Map(status.breakers.map((breaker) => [breaker.target, breaker]));
  for (const member of status.routes.flatMap((route) => route.chain)) {
    if (member.target && !known.has(member.target)) known.set(member.target, { target: member.target, state: "closed", isUnused: true });
  }
  const rank = (breaker) => (breaker.state === "closed" ? (breaker.isUnused ? 2 : 1) : 0);
  return [...known.values()].sort((a, b) => rank(a) - rank(b) || a.target.localeCompare(b.target));
}

function showTargets(status) {
  const targets = knownTargets(status);
  const body = $("targets").tBodies[0];
  const rows = new Map([...body.rows].map((row) => [row.key, row]));
  let place = 0;
  for (const breaker of targets.slice(0, mostTargets)) {
    const row = rows.get(breaker.target) ?? targetRow(breaker.target);
    rows.delete(breaker.target);
    showBreaker(row, breaker);
    // A row that stands right is not moved: moving would take the keyboard's place from its button.
    if (body.rows[place] !== row) body.insertBefore(row, body.rows[place] ?? null);
    place += 1;
  }
  for (const row of rows.values()) row.remove();
  const more = targets.length - mostTargets;
  setText($("more-targets"), more > 0 ? `And ${plural(more, "other target")}; /status has all.` : "");
}

function targetRow(target) {
  const button = make("button", { type: "button" });
  button.addEventListener("click", () => press(button, target));
  const row = make("tr", { role: "row" }, cell({}, target), cell({}), cell({}, button));
  row.key = target;
  row.button = button;
  return row;
}

function showBreaker(row, breaker) {
  row.button.opens = breaker.state === "closed";
  if (!row.button.classList.contains("sure")) label(row.button, row.key);
  const until = breaker.remainingSeconds === undefined ? null : now() + breaker.remainingSeconds * 1000;
  const shown = row.cells[1];
  const clockNode = shown.querySelector("[data-until]");
  // The time goes on by itself; it is set anew where the breaker says something else.
  if (clockNode && until && Math.abs(Number(clockNode.dataset.until) - until) > 1500) clockNode.dataset.until = until;
  draw(shown, [breaker.state, breaker.isUnused, until !== null], () => [
    state(breaker.isUnused ? "none" : tones[breaker.state] ?? "none", breaker.isUnused ? "not used yet" : breaker.state),
    breaker.state === "open" && make("span", { className: "faint" },
      until === null ? ", until it is closed here" : [", ", make("span", { "data-until": until }), " left"]),
  ]);
}

function label(button, target) {
  const verb = button.opens ? "Open" : "Close";
  setText(button, verb);
  button.setAttribute("aria-label", `${verb} the breaker of ${target}`);
}

/** Opening takes a model away from everybody, so it is asked for twice. */
function press(button, target) {
  const isSure = button.classList.contains("sure");
  if (button.opens && !isSure) {
    button.classList.add("sure");
    setText(button, "Open it?");
    button.setAttribute("aria-label", `Press again to open the breaker of ${target}`);
    button.calm = setTimeout(() => calmDown(button, target), 4000);
    return;
  }
  const opens = button.opens;
  clearTimeout(button.calm);
  calmDown(button, target);
  const path = `breakers/${encodeURIComponent(target)}/${opens ? "open" : "close"}`;
  order(path, opens ? `${target} is left alone until its breaker is closed here.` : `${target} is asked again.`);
}

function calmDown(button, target) {
  button.classList.remove("sure");
  label(button, target);
}

// Routes, experiments, hops

const rules = {
  model: (value) => `model ${value.join(", ")}`,
  images: (value) => (value ? "with images" : "without images"),
  vision: (value) => (value ? "model sees" : "model does not see"),
  task: (value) => (value ? "background tasks" : "no background tasks"),
  minTokens: (value) => `from ${whole.format(value)} tokens`,
  maxTokens: (value) => `up to ${whole.format(value)} tokens`,
  header: (value) => `header ${value.join(", ")}`,
  path: (value) => `path ${value}`,
  contains: (value) => `says ${value.join(", ")}`,
};

function condition(when) {
  const parts = Object.keys(rules).filter((key) => when[key] !== undefined).map((key) => rules[key](when[key]));
  return parts.length ? parts.join(" · ") : "every request";
}

function showRoutes(status) {
  const states = Object.fromEntries(status.breakers.map((breaker) => [breaker.target, breaker.state]));
  const routes = status.routes.map((route) => ({
    ...route,
    chain: route.chain.map((member) => ({ ...member, state: member.target && states[member.target] })),
  }));
  draw($("routes"), routes, () => (routes.length === 0
    ? [make("p", { className: "faint" }, "None: requests pass unchanged.")]
    : [make("div", { className: "rows" }, routes.map((route) => make("div", { className: "route" },
      make("h3", {}, route.name),
      make("ol", { className: "chain", "aria-label": `Chain of ${route.name}` }, route.chain.map(chainMember)),
      make("p", { className: "when" }, condition(route.when)))))]));
}

function chainMember(member) {
  const name = member.model === "$requested" ? make("em", {}, "the requested model") : member.model;
  const isShut = member.state && member.state !== "closed";
  return make("li", {}, isShut ? [state(tones[member.state], name), unseen(` (${member.state})`)] : name);
}

function showExperiments(experiments, requests) {
  $("experiments-section").hidden = experiments.length === 0;
  const shown = experiments.map((experiment) => ({
    ...experiment,
    arms: experiment.arms.map((arm) => armFigures(experiment, arm, requests)),
  }));
  draw($("experiments"), shown, () => [make("div", { className: "rows" }, shown.map((experiment) => make("div", {},
    make("h3", {}, experiment.name),
    make("p", { className: "faint" }, `by ${experiment.by} · ${condition(experiment.when)}`),
    table(`Arms of ${experiment.name}, recent requests`, ["Arm", "Share", "Recent", "Median", "TTFT", "Moved"],
      experiment.arms.map((arm) => [arm.name, arm.share, String(arm.count), arm.median, arm.first, arm.moved])))))]);
}

function armFigures(experiment, arm, requests) {
  const own = requests.filter((request) => request.experiment === experiment.name && request.arm === arm.name);
  const total = experiment.arms.reduce((sum, other) => sum + other.weight, 0);
  const time = (values) => { const middle = median(values); return middle === null ? "–" : span(middle); };
  return {
    name: arm.name,
    share: `${Math.round((100 * arm.weight) / total)} %`,
    count: own.length,
    median: time(own.map((request) => request.duration_ms)),
    first: time(own.map((request) => request.ttft_ms).filter((value) => value !== undefined)),
    moved: own.length ? `${Math.round((100 * own.filter(isMoved).length) / own.length)} %` : "–",
  };
}

/** A small table; all but the first column are figures. */
function table(name, heads, rows) {
  const right = (place) => (place > 0 ? "number" : null);
  return make("table", { className: "plain", "aria-label": name },
    make("thead", {}, make("tr", {}, heads.map((text, place) => make("th", { scope: "col", className: right(place) }, text)))),
    make("tbody", {}, rows.map((row) => make("tr", {}, row.map((text, place) => make("td", { className: right(place) }, text))))));
}

function showHops(hops) {
  $("hops-section").hidden = hops.length === 0;
  draw($("hops"), hops, () => [make("div", { className: "rows" }, hops.map((hop) => make("div", {},
    make("h3", {}, hop.name),
    make("ol", { className: "ladder", "aria-label": `Rungs of ${hop.name}` }, hop.rungs.map((rung) => make("li", {},
      make("span", { className: "rung mono" }, rung.rung),
      state(tones[rung.state] ?? "none", rung.state, rung.remainingSeconds !== undefined && ` ${left(rung.remainingSeconds)}`),
      make("span", { className: "faint" }, [rung.inUse && "in use", rung.lastFault && `last fault ${rung.lastFault}`].filter(Boolean).join(" · ")))))))) ]);
}

function showCalibration(rows) {
  $("calibration-section").hidden = rows.length === 0;
  draw($("calibration"), rows, () => [table("Counted and reported tokens", ["Model", "Answers", "Reported / expected", "Scale"],
    rows.map((row) => [row.model, whole.format(row.answers), row.medianRatio === undefined ? "–" : row.medianRatio.toFixed(2),
      `${row.tokenScale}${row.factor > 1 ? ` × ${row.factor.toFixed(2)}${row.inForce ? "" : " (not in force)"}` : ""}`]))]);
}

// Configuration

function showConfiguration(status) {
  const { version, reloads, store, upstreams, listeners, configuration } = status;
  draw($("configuration"), { version, reloads, store, upstreams, listeners, configuration }, () => [make("dl", { className: "facts" },
    fact("Version", version),
    fact("In force", make("code", {}, configuration)),
    fact("Last reload", reload(reloads)),
    fact("Reloads", `${reloads.succeeded} good, ${reloads.failed} refused`),
    fact("Listeners", lines(listeners.map((listener) => `${listener.name} ${listener.address}${listener.upstream ? ` → ${listener.upstream}` : ""}`))),
    fact("Upstreams", lines(upstreams.map((upstream) => `${upstream.name} ${upstream.url}${upstream.hop ? ` by ${upstream.hop}` : ""}`))),
    fact("Images", storeText(store)))]);
}

const fact = (name, ...value) => [make("dt", {}, name), make("dd", {}, ...value)];
const lines = (texts) => texts.map((text) => make("div", {}, text));

function reload({ latest }) {
  if (!latest) return "none since the start";
  const words = { ok: ["good", "good"], failed: ["bad", "refused, the old one stays in force"], nothing: ["none", "nothing to reload"] };
  const [tone, text] = words[latest.result] ?? ["none", latest.result];
  return [state(tone, text), " ", make("span", { className: "faint" }, ago(latest.time)),
    latest.problems && make("ul", { className: "problems" }, latest.problems.map((each) => make("li", {}, each))),
    latest.waitingForRestart && make("div", {}, `Waits for a restart: ${latest.waitingForRestart.join(", ")}`)];
}

function storeText(store) {
  if (!store) return "not stored: they stay in their bodies";
  const parts = [store.requests && "requests", store.responses && "answers"].filter(Boolean).join(" and ") || "nothing";
  return [make("div", {}, `${store.kind} ${store.place}`), make("div", { className: "faint" },
    `of ${parts}${store.maxBytes ? `, at most ${bytes(store.maxBytes)}` : ""}`),
  store.trouble && make("div", {}, state("bad", `cannot be stored: ${store.trouble}`))];
}

$("reload").addEventListener("click", () => order("reload", "The configuration was read anew."));

// Recent requests

/** Whether another model answered than would have while all goes well: this time, or before in the same conversation. */
function isMoved(request) {
  if (request.attempts.at(-1)?.outcome !== "ok") return false;
  const isElsewhere = request.model !== request.requested_model;
  return request.attempts.length > 1 || (isElsewhere && request.plan.some((step) => step.target.startsWith(`${request.requested_model}@`)));
}

/** How it went, for the colour: 499 is a client that has left. */
function outcome(request) {
  if (request.status >= 500 || request.status === 0 || (request.error && request.status < 400)) return "bad";
  if (request.status === 499) return "none";
  if (request.status >= 400) return "warn";
  return "good";
}

const keyOf = (request) => [request.time, request.request_id, request.duration_ms].join(" ");
let latestRequests = [];

const choices = {
  all: () => true,
  moved: isMoved,
  failed: (request) => outcome(request) !== "good",
  clipped: (request) => request.clip !== undefined,
};

function isWanted(request) {
  const choice = document.querySelector("input[name=show]:checked").value;
  const words = $("find").value.trim().toLowerCase();
  if (!choices[choice](request)) return false;
  const texts = [request.request_id, request.trace_id, request.listener, request.route, request.experiment, request.arm, request.requested_model,
    request.model, request.error, String(request.status), ...request.attempts.map((attempt) => attempt.outcome)];
  return !words || texts.some((text) => text?.toLowerCase().includes(words));
}

function showRequests(requests) {
  const isFirst = latestRequests.length === 0;
  latestRequests = requests;
  const wanted = requests.filter(isWanted);
  const body = $("list").tBodies[0];
  const rows = new Map([...body.rows].filter((row) => row.key).map((row) => [row.key, row]));
  const stay = new Set(wanted.map(keyOf));
  for (const [key, row] of rows) {
    if (stay.has(key)) continue;
    row.detail?.remove();
    row.remove();
  }
  let place = body.firstElementChild;
  for (const request of wanted) {
    const known = rows.get(keyOf(request));
    if (known) { place = (known.detail ?? known).nextElementSibling; continue; }
    body.insertBefore(requestRow(request, !isFirst), place);
  }
  setText($("none"), requests.length === 0 ? "No request yet." : wanted.length === 0 ? "None of them." : "");
  $("none").hidden = wanted.length > 0;
  showStrip(wanted);
}

function refilter() {
  $("list").tBodies[0].replaceChildren();
  const requests = latestRequests;
  latestRequests = [];
  showRequests(requests);
  tick();
}
for (const input of document.querySelectorAll("input[name=show]")) input.addEventListener("change", refilter);
$("find").addEventListener("input", refilter);

/** One bar for each, the newest at the right; the height goes by the logarithm of the duration. */
function showStrip(requests) {
  draw($("strip"), requests.map(keyOf), () => requests.toReversed().map((request) => {
    const bar = make("i", { "data-tone": isMoved(request) && outcome(request) === "good" ? "warn" : outcome(request) });
    const height = Math.min(1, Math.max(0.08, Math.log10(Math.max(1, request.duration_ms)) / 5));
    bar.style.height = `${Math.round(height * 100)}%`;
    return bar;
  }));
}

function requestRow(request, isFresh) {
  const button = make("button", { type: "button", className: "more", "aria-expanded": "false" }, ago(request.time), unseen(`, details of request ${request.request_id}`));
  const shown = request.requested_model && request.model && request.requested_model !== request.model
    ? [make("span", { className: "asked" }, request.requested_model), make("span", { className: "arrow" }, " → "), request.model]
    : [request.model ?? request.requested_model ?? request.host ?? make("span", { className: "faint" }, request.dialect)];
  const row = make("tr", { role: "row", className: isFresh ? "request fresh" : "request" },
    cell({}, button),
    cell({}, chip(outcome(request), statusText(request))),
    cell({}, shown),
    cell({}, way(request)),
    cell({}, tries(request.attempts)),
    cell({ className: "number" }, span(request.duration_ms)),
    cell({ className: "number", "data-label": "TTFT" }, request.ttft_ms === undefined ? "" : span(request.ttft_ms)),
    cell({ className: "number", "data-label": "tokens" }, tokens(request)),
    cell({ className: "number", "data-label": "clip" }, request.clip ? `${short(request.clip.before)} → ${short(request.clip.after)}` : ""),
    cell({ className: "number", "data-label": "images" }, request.images ? String(Object.values(request.images).reduce((sum, count) => sum + count, 0)) : ""),
    cell({ className: "id", title: request.request_id }, request.request_id.length > 9 ? `${request.request_id.slice(0, 8)}…` : request.request_id));
  row.key = keyOf(request);
  button.addEventListener("click", () => unfold(row, button, request));
  return row;
}

function statusText(request) {
  const words = { 0: "no answer", 499: "499 client left" };
  const text = words[request.status] ?? String(request.status);
  return request.error && request.status < 400 ? `${text} ${request.error.replaceAll("_", " ")}` : text;
}

const way = (request) => [
  request.listener !== "gateway" && make("span", { className: "faint" }, `${request.listener} `),
  request.route,
  request.arm && make("span", { className: "faint" }, `${request.route ? " · " : ""}${request.arm}`),
];

function tries(attempts) {
  if (attempts.length === 0) return "";
  return make("span", { className: "tries" }, attempts.map((attempt) =>
    make("span", { title: attempt.target }, unseen(`${attempt.target} `), chip(toneOf(attempt.outcome), attempt.outcome.replaceAll("_", " ")))));
}

const toneOf = (result) => (result === "ok" ? "good" : result === "open" ? "none" : "warn");

function tokens(request) {
  if (request.tokens_in === undefined) return "";
  return `${short(request.tokens_in)} → ${short(request.tokens_out)}`;
}

// One request, unfolded

let details = 0;

function unfold(row, button, request) {
  if (row.detail) {
    row.detail.remove();
    row.detail = null;
    button.setAttribute("aria-expanded", "false");
    button.removeAttribute("aria-controls");
    return;
  }
  details += 1;
  const columns = $("list").tHead.rows[0].cells.length;
  const parts = make("div", { className: "parts" }, planPart(request), attemptsPart(request), timesPart(request), sizesPart(request), idsPart(request));
  row.detail = make("tr", { role: "row", className: "detail", id: `detail-${details}` }, cell({ colSpan: columns, "aria-colspan": String(columns) }, parts));
  row.after(row.detail);
  button.setAttribute("aria-expanded", "true");
  button.setAttribute("aria-controls", row.detail.id);
  if (request.receipt) addReceipt(parts, request);
}

const part = (title, ...children) => make("div", {}, make("h3", {}, title), ...children);

function planPart(request) {
  if (request.plan.length === 0) return part("Plan", make("p", { className: "faint" }, "None was made."));
  return part("Plan", make("ol", { className: "steps" }, request.plan.map((step) => make("li", {}, step.target,
    step.budget !== undefined && make("span", { className: "faint" }, ` at most ${whole.format(step.budget)} tokens of ${step.encoding}`)))));
}

function attemptsPart(request) {
  if (request.attempts.length === 0) return part("Attempts", make("p", { className: "faint" }, "Passed on as it came."));
  return part("Attempts", make("ol", { className: "steps" }, request.attempts.map((attempt) => make("li", {}, attempt.target, " ",
    chip(toneOf(attempt.outcome), attempt.outcome.replaceAll("_", " "))))));
}

function timesPart(request) {
  return part("Times", make("dl", { className: "facts" },
    fact("Ended", new Date(request.time).toLocaleString()), fact("Duration", span(request.duration_ms)),
    request.ttft_ms !== undefined && fact("First token", span(request.ttft_ms)), fact("Of it here", span(request.overhead_ms)),
    fact("Kind", `${request.dialect}${request.stream ? ", streamed" : ""}`)));
}

function sizesPart(request) {
  const images = Object.entries(request.images ?? {}).map(([name, count]) => `${count} ${name.replaceAll("_", " ")}`);
  return part("Sizes", make("dl", { className: "facts" },
    fact("Body in, out", `${bytes(request.bytes_in)}, ${bytes(request.bytes_out)}`),
    request.tokens_in !== undefined && fact("Tokens in, out", `${whole.format(request.tokens_in)}, ${whole.format(request.tokens_out)}`),
    request.tokens_counted !== undefined && fact("Counted here", `${whole.format(request.tokens_counted)} tokens`),
    images.length > 0 && fact("Images", images.join(", "))));
}

function idsPart(request) {
  const names = [
    ["Request", make("code", {}, request.request_id)],
    request.trace_id !== request.request_id && ["Trace", make("code", {}, request.trace_id)],
    request.experiment && ["Experiment", `${request.experiment}, arm ${request.arm}`],
    request.host && ["Host", request.host],
    request.hop && ["Hop", `${request.hop} by ${request.rung}`],
    request.error && ["Error", request.error.replaceAll("_", " ")],
  ];
  return make("div", { className: "wide" }, make("dl", { className: "facts inline" },
    names.filter(Boolean).map((name) => make("div", {}, fact(...name)))));
}

async function addReceipt(parts, request) {
  const place = parts.appendChild(part("Receipt"));
  place.className = "wide";
  try {
    const receipt = await read(`receipts/${encodeURIComponent(request.request_id)}`);
    place.append(...receiptText(receipt));
  } catch (error) {
    if (error instanceof Unauthorized) return wantToken();
    place.append(make("p", { className: "faint" }, "It is no longer kept."));
  }
}

function receiptText(receipt) {
  const parts = [];
  if (receipt.images_dropped) parts.push(make("p", {}, `${plural(receipt.images_dropped, "image")} left out: nobody in the chain sees.`));
  if (receipt.messages.length === 0) return parts;
  const count = (fate) => receipt.messages.filter((message) => message.fate === fate).length;
  parts.push(make("p", {}, `${whole.format(receipt.before)} tokens cut to ${whole.format(receipt.after)} of at most ${whole.format(receipt.budget)} (${receipt.encoding}), for ${receipt.model}: `
    + `${plural(count("kept"), "message")} kept, ${count("dropped")} dropped, ${count("shortened")} shortened.`));
  const bar = make("div", { className: "runs", "aria-hidden": "true" }, runs(receipt.messages).map((run) => {
    const piece = make("i", { "data-fate": run.fate, title: `${run.fate}: messages ${run.first}–${run.last}, ${whole.format(run.tokens)} tokens` });
    piece.style.flexGrow = Math.max(1, run.tokens);
    return piece;
  }));
  const rows = runs(receipt.messages).map((run) => [run.first === run.last ? `message ${run.first}` : `messages ${run.first} to ${run.last}`, run.fate, whole.format(run.tokens)]);
  return [...parts, bar, table("Messages of the request as it came", ["Messages", "Fate", "Tokens"], rows.slice(0, 40)),
    rows.length > 40 && make("p", { className: "faint" }, `And ${rows.length - 40} more rows.`)].filter(Boolean);
}

/** Neighbours of one fate as one. */
function runs(messages) {
  const found = [];
  for (const message of messages) {
    const last = found.at(-1);
    if (last?.fate === message.fate) { last.last = message.index; last.tokens += message.tokens; }
    else found.push({ fate: message.fate, first: message.index, last: message.index, tokens: message.tokens });
  }
  return found;
}

// Light and dark

const themes = ["system", "light", "dark"];
const themeKey = "sidecar.theme";

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  setText($("theme").lastElementChild, theme);
  localStorage.setItem(themeKey, theme);
}

$("theme").addEventListener("click", () => setTheme(themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length]));
setTheme(themes.includes(localStorage.getItem(themeKey)) ? localStorage.getItem(themeKey) : "system");

setInterval(tick, 1000);
poll();
