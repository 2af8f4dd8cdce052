// The status page: asks for status.json every two seconds and shows what it says. It only reads.
// Everything is shown as text: nothing that comes is ever taken for markup.
"use strict";

const EVERY_MS = 2000;
const ANSWER_MS = 8000;
// How much is drawn: the shortest that holds all that is known.
const RANGES_MS = [6, 15, 30, 60].map((minutes) => minutes * 60000);
// The name of SVG, which nothing is loaded from.
const SVG = "http://www.w3.org/2000/svg";

const $ = (id) => document.getElementById(id);
const state = { told: null, offset: 0, answered: 0, isRefused: false, isHeld: false, timer: 0, shownRules: null };
const now = () => Date.now() + state.offset;

// --- words

const whole = new Intl.NumberFormat("en");
const count = (n) => (n === null || n === undefined ? "–" : whole.format(n));
function rate(n) {
  if (n === null || n === undefined) return "–";
  if (n === 0) return "0";
  if (n < 0.1) return "< 0.1";
  return n < 10 ? n.toFixed(1) : whole.format(Math.round(n));
}
function took(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 60000) return `${(ms / 1000).toFixed(1)} s`;
  return span(ms);
}
function span(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min`;
  if (s < 172800) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} days`;
}
const clock = (ms) => new Date(ms).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
const plural = (n, one, many) => `${count(n)} ${n === 1 ? one : many}`;

// --- nodes

function set(node, text) {
  const to = typeof node === "string" ? $(node) : node;
  const words = text === null || text === undefined ? "" : String(text);
  if (to.textContent !== words) to.textContent = words;
}
// What the log says as well: a sentence, with names of keys and commands between backticks.
function prose(node, text) {
  const to = typeof node === "string" ? $(node) : node;
  const words = (text || "").replace(/^[a-z](?=[a-z]* )/, (first) => first.toUpperCase());
  const parts = words.split("`");
  if (to.textContent === parts.join("")) return;
  to.replaceChildren(...parts.map((part, at) => (at % 2 ? make("code", part) : part)));
}
// A command breaks between its words and not within an option; what is copied is the same text.
function spaced(code, text) {
  if (code.textContent === text) return;
  code.replaceChildren(...text.split(/( )/).map((part) => (part === " " ? part : make("span", part, "word"))));
}
function mark(node, name, value) {
  if (value === null || value === undefined || value === false) delete node.dataset[name];
  else if (node.dataset[name] !== String(value)) node.dataset[name] = value;
}
function make(tag, text, className) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
}
// Rows that are there stay the same nodes, so that whoever has the focus in one keeps it.
function sync(list, items, keyOf, begin, fill) {
  const left = new Map([...list.children].map((node) => [node.dataset.key, node]));
  items.forEach((item, at) => {
    const key = keyOf(item);
    const node = left.get(key) || begin(item);
    left.delete(key);
    node.dataset.key = key;
    fill(node, item);
    if (list.children[at] !== node) list.insertBefore(node, list.children[at] || null);
  });
  left.forEach((node) => node.remove());
}
// A text that follows the clock.
const clocks = new Map();
function follow(node, words) {
  clocks.set(node, words);
  set(node, words(now()));
}
function turn() {
  for (const [node, words] of clocks) {
    if (node.isConnected) set(node, words(now()));
    else clocks.delete(node);
  }
  fresh();
}
function since(text) {
  const at = Date.parse(text);
  return (time) => (Number.isNaN(at) ? "" : `${clock(at)}, ${span(time - at)} ago`);
}
function until(text) {
  const at = Date.parse(text);
  return (time) => (at > time ? `in ${span(at - time)}` : "now");
}

// --- what flows

function wire(id, perSecond) {
  const speed = !perSecond ? null : perSecond < 5 ? 1 : perSecond < 50 ? 2 : 3;
  mark($(id), "speed", speed);
}
function sum(queues, role, field) {
  const known = queues.filter((queue) => queue.role === role && queue[field] !== null);
  return known.length ? known.reduce((all, queue) => all + queue[field], 0) : null;
}
function flow(told) {
  const { levels, queues } = told;
  const rates = told.now || {};
  for (const name of ["received", "requests", "processes"]) {
    set(`rate-${name}`, rate(rates[name]));
    wire(`wire-${name}`, rates[name]);
  }
  for (const name of ["failed", "delayed", "dead"]) set(`rate-${name}`, rate(rates[name]));
  set("flow-hint", `Of the last ${rates.over_ms >= 1000 ? span(rates.over_ms) : "seconds"}, on this replica.`);
  const work = queues.find((queue) => queue.role === "work") || {};
  const isAsked = work.ready !== null && work.ready !== undefined;
  set("work-name", work.name);
  set("work-ready", isAsked ? count(work.ready) : count(levels.received));
  set("work-unit", isAsked ? "waiting" : "taken so far");
  set("work-age", isAsked ? (work.head_age_s === null ? "" : `the first for ${span(work.head_age_s * 1000)}`)
    : "Its depth is known once [broker.management] was asked.");
  set("held", count(levels.held));
  set("places", count(levels.places));
  $("held-bar").max = levels.places || 1;
  $("held-bar").value = Math.min(levels.held, levels.places || 1);
  set("waiting", count(levels.waiting));
  set("host", levels.host);
  set("request-ms", took(rates.request_ms));
  set("request-unit", rates.request_ms === null || rates.request_ms === undefined ? "no answer lately" : "an answer");
  set("in-flight", count(levels.in_flight));
  set("processes", count(levels.processes));
  const ended = levels.last_settled_s;
  follow($("last-settled"), (time) => (ended ? `an event was settled ${span(time - ended * 1000)} ago` : "no event was settled yet"));
  const waits = sum(queues, "wait", "ready");
  set("delayed-now", waits === null ? `${count(levels.delayed)} since the start` : `${count(waits)} wait in delay queues`);
  const dead = sum(queues, "dead", "ready");
  set("dead-now", `${count(levels.dead)} since the start${dead === null ? "" : `, ${count(dead)} in the queue`}`);
  mark(document.querySelector("[data-kind=dead]"), "some", levels.dead > 0 || dead > 0 ? "yes" : null);
  set("event-ms", took(rates.event_ms));
  set("event-unit", rates.event_ms === null || rates.event_ms === undefined ? "no event ended lately" : "an event here");
  set("age-now", rates.age_ms === null || rates.age_ms === undefined ? "" : `${took(rates.age_ms)} from its publishing to its end`);
}
function gate(told) {
  const { gates, gate_shut: shut } = told.ready;
  const whole = gates.find((one) => one.scope === "everything");
  const word = whole ? (whole.why === "paused" ? "paused" : "shut") : shut.length ? "partly shut" : "gate open";
  set("gate", told.levels.ramp && !shut.length ? `ramp ${told.levels.ramp}/s` : word);
  mark($("gate"), "state", whole ? "shut" : shut.length ? "partly" : "open");
  if (whole) ["requests", "processes"].forEach((name) => wire(`wire-${name}`, 0));
  const held = shut.filter((text) => text.startsWith("rule ")).map((text) => ({ scope: text, held: true }));
  $("shut-none").hidden = gates.length + held.length > 0;
  sync($("shut"), [...gates, ...held], (one) => `${one.scope} ${one.why || ""}`, beginGate, fillGate);
}
function beginGate() {
  const card = make("li");
  card.append(make("h3"), make("p"), make("dl"));
  return card;
}
function pair(list, name, words) {
  const value = make("dd");
  list.append(make("dt", name), value);
  if (typeof words === "function") follow(value, words);
  else set(value, words);
}
function fillGate(card, one) {
  const [title, what, list] = card.children;
  set(title, one.held ? one.scope : `${one.scope}: ${one.why}`);
  prose(what, one.held ? "Event after event of this rule was rejected. Mend the rule or the producer; one event asks each 5 s. "
    + "`chakra-bridge resume --rule` lets it go on." : one.what);
  const known = JSON.stringify(one);
  if (card.dataset.known === known || one.held) return;
  card.dataset.known = known;
  list.replaceChildren();
  pair(list, "since", since(one.since));
  if (one.answered) {
    const { host, status, body, detail } = one.answered;
    pair(list, "answered last", [host, status, body, detail].filter((part) => part !== null).join(", "));
  }
  pair(list, "asks again", one.asks_again ? until(one.asks_again) : "not by itself");
  if (one.probes) pair(list, "asked in vain", plural(one.probes, "time", "times"));
}

// --- how it stands

function troubles(ready) {
  const words = [
    ready.broker_lost && `The connection to the broker was lost: ${ready.broker_lost}`,
    ready.broker_blocked && `The broker accepts no publishes: ${ready.broker_blocked}`,
    ...Object.entries(ready.publishes_refused).map(([queue, why]) => `Queue ${queue} takes nothing: ${why}`),
    ready.dead_letters, ready.no_delays && `Events cannot be delayed: ${ready.no_delays}`,
    ...ready.queue_warnings, ready.ledger_away && `The ledger: ${ready.ledger_away}`, ready.ledger_degraded,
    ready.management_away && `The management API cannot be asked: ${ready.management_away}`,
    ready.lookup_waits.events > 0 && `${plural(ready.lookup_waits.events, "event waits", "events wait")} for the window of a lookup, until ${ready.lookup_waits.until}`,
    ready.degraded.includes("rules_outdated") && `Rules: ${ready.rules}`,
    ready.needs_restart.length > 0 && `A restart takes in: ${ready.needs_restart.join(", ")}`,
  ];
  return words.filter(Boolean);
}
function standing(told) {
  const { level, title, words } = told.headline;
  mark($("headline"), "level", level);
  set("headline-title", title);
  prose("headline-words", words);
  const list = [...new Set(troubles(told.ready))].filter((text) => !text.endsWith(words));
  $("troubles").hidden = list.length === 0;
  sync($("troubles"), list, (text) => text, () => make("li"), (node, text) => prose(node, text));
  const work = told.queues.find((queue) => queue.role === "work");
  set("where", `${work ? work.name : ""} · version ${told.version} · ${told.ready.phase}`);
  $("started").dateTime = new Date(told.started_ms).toISOString();
  follow($("started"), (time) => (time - told.started_ms < 86400000 ? clock(told.started_ms) : `${span(time - told.started_ms)} ago`));
  document.title = `${title} · chakra-bridge`;
}

// --- the last hour

const CHARTS = [
  { id: "throughput", title: "Processes a second", value: (row) => perSecond(row, row.processes), second: (row) => perSecond(row, row.received),
    form: rate, total: (row) => row.processes, totals: (n) => `${count(n)} in the hour; dashed: taken from the queue` },
  { id: "dead", title: "Dead letters", isBars: true, value: (row) => row.dead, form: count, total: (row) => row.dead, totals: (n) => `${count(n)} in the hour` },
  { id: "answers", title: "Answer time of the API", value: (row) => row.request_ms, form: took, total: (row) => row.requests, totals: (n) => `${count(n)} requests in the hour` },
  { id: "failed", title: "Requests not served", isBars: true, value: (row) => row.failed, form: count, total: (row) => row.failed, totals: (n) => `${count(n)} in the hour` },
  { id: "held", title: "Events held, at most", value: (row) => row.held, second: (row) => row.waiting, form: count, totals: () => "dashed: without a request under way" },
  { id: "delayed", title: "Delayed", isBars: true, value: (row) => row.delayed, form: count, total: (row) => row.delayed, totals: (n) => `${count(n)} in the hour` },
];
const WIDE = 360, HIGH = 104, FOOT = 88;
const perSecond = (row, n) => (row.lasts_ms < 1000 ? null : (n * 1000) / row.lasts_ms);

function rowsOf(hour) {
  return hour.rows.map((row) => Object.fromEntries(hour.columns.map((name, at) => [name, row[at]])));
}
function draw(tag, attributes, className) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (className) node.setAttribute("class", className);
  return node;
}
function beginChart(chart) {
  const figure = make("figure");
  const title = make("h3");
  title.append(make("span", chart.title), make("b"));
  figure.append(title, draw("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img" }), make("figcaption"));
  return figure;
}
function ceiling(most) {
  if (!(most > 0)) return 1;
  const base = 10 ** Math.floor(Math.log10(most));
  return [1, 1.5, 2, 3, 5, 7.5, 10].map((step) => step * base).find((step) => step >= most * 0.999);
}
function steps(rows, value, x, y) {
  let path = "", from = null;
  const pieces = [];
  for (const row of rows) {
    const v = value(row);
    if (v === null || v === undefined) { if (path) pieces.push([path, from, x(row.from_ms)]); path = ""; continue; }
    const [left, right] = [x(row.from_ms), x(row.from_ms + row.lasts_ms)];
    if (!path) from = left;
    path += `${path ? "L" : "M"}${left.toFixed(1)} ${y(v).toFixed(1)}L${right.toFixed(1)} ${y(v).toFixed(1)}`;
  }
  const last = rows[rows.length - 1];
  if (path && last) pieces.push([path, from, x(last.from_ms + last.lasts_ms)]);
  return pieces;
}
function fillChart(figure, chart, rows, end) {
  const range = RANGES_MS.find((ms) => rows.length === 0 || end - ms <= rows[0].from_ms) || RANGES_MS[3];
  const begin = end - range;
  const x = (ms) => Math.max(0, Math.min(WIDE, ((ms - begin) / range) * WIDE));
  const values = rows.map(chart.value).concat(chart.second ? rows.map(chart.second) : []).filter((v) => v !== null && v !== undefined);
  const top = ceiling(Math.max(0, ...values));
  const y = (v) => FOOT - (Math.min(v, top) / top) * (FOOT - 12);
  const svg = figure.querySelector("svg");
  const nodes = [];
  for (const row of rows.filter((one) => one.is_shut || one.is_away)) {
    const left = x(row.from_ms);
    nodes.push(draw("rect", { x: left, y: 12, width: Math.max(1, x(row.from_ms + row.lasts_ms) - left), height: FOOT - 12 }, row.is_away ? "away" : "shut"));
  }
  nodes.push(draw("line", { x1: 0, x2: WIDE, y1: FOOT, y2: FOOT }, "grid"), draw("line", { x1: 0, x2: WIDE, y1: 12, y2: 12 }, "grid"));
  if (chart.isBars) {
    for (const row of rows.filter((one) => chart.value(one) > 0)) {
      const left = x(row.from_ms), at = y(chart.value(row));
      nodes.push(draw("rect", { x: left, y: at, width: Math.max(1.5, x(row.from_ms + row.lasts_ms) - left - 0.6), height: FOOT - at }, "bar"));
    }
  } else {
    for (const [path, left, right] of steps(rows, chart.value, x, y)) {
      nodes.push(draw("path", { d: `${path}L${right} ${FOOT}L${left} ${FOOT}Z` }, "area"), draw("path", { d: path }, "line"));
    }
    if (chart.second) for (const [path] of steps(rows, chart.second, x, y)) nodes.push(draw("path", { d: path }, "second"));
  }
  const label = (text, at, up, anchor) => {
    const node = draw("text", { x: at, y: up, "text-anchor": anchor });
    node.textContent = text;
    nodes.push(node);
  };
  label(chart.form(top), 0, 9, "start");
  label("now", WIDE, HIGH - 3, "end");
  for (const part of [0, 1, 2]) {
    label(`−${((3 - part) * range) / 180000} min`, (WIDE * part) / 3, HIGH - 3, part === 0 ? "start" : "middle");
  }
  svg.replaceChildren(...nodes);
  caption(figure, chart, rows);
}
function caption(figure, chart, rows) {
  const told = rows.filter((row) => chart.value(row) !== null && chart.value(row) !== undefined);
  const steady = told.filter((row) => row.lasts_ms >= 8000);
  const last = steady[steady.length - 1] || told[told.length - 1];
  const most = told.reduce((best, row) => (best && chart.value(best) >= chart.value(row) ? best : row), null);
  const total = chart.total ? rows.reduce((all, row) => all + (chart.total(row) || 0), 0) : 0;
  const latest = last ? chart.form(chart.value(last)) : "–";
  const highest = most && chart.value(most) > 0 ? `highest ${chart.form(chart.value(most))} at ${clock(most.from_ms)}` : "";
  const words = [highest, chart.totals(total)].filter(Boolean).join("; ");
  set(figure.querySelector("b"), latest);
  set(figure.querySelector("figcaption"), words);
  figure.querySelector("svg").setAttribute("aria-label", `${chart.title} over the last hour: ${latest} now${words ? `; ${words}` : ""}. The table below has the numbers.`);
}
function hour(told) {
  const rows = rowsOf(told.hour);
  const last = rows[rows.length - 1];
  const end = Math.max(told.now_ms, last ? last.from_ms + last.lasts_ms : 0);
  sync($("charts"), CHARTS, (chart) => chart.id, beginChart, (figure, chart) => fillChart(figure, chart, rows, end));
  if ($("hour").open) hourTable(rows);
}
function hourTable(rows) {
  const FIVE = 300000;
  const steps = new Map();
  for (const row of rows) {
    const at = Math.floor(row.from_ms / FIVE) * FIVE;
    steps.set(at, (steps.get(at) || []).concat(row));
  }
  const of = (list, name) => list.reduce((all, row) => all + row[name], 0);
  const table = [...steps].reverse().map(([at, list]) => {
    const requests = of(list, "requests");
    const time = list.reduce((all, row) => all + (row.request_ms || 0) * row.requests, 0);
    return [at, clock(at), ...["received", "processes", "dead", "delayed", "requests", "failed"].map((name) => count(of(list, name))),
      requests ? took(time / requests) : "–", count(Math.max(...list.map((row) => row.held))), list.some((row) => row.is_shut) ? "yes" : "no"];
  });
  sync($("hour-rows"), table, ([at]) => String(at), ([, ...row]) => cells(row.length, true), (node, [, ...row]) => {
    row.forEach((text, at) => set(node.children[at], text));
  });
}
function cells(many, isNamed) {
  const row = make("tr");
  for (let at = 0; at < many; at += 1) {
    const cell = make(isNamed && at === 0 ? "th" : "td");
    if (cell.tagName === "TH") cell.scope = "row";
    row.append(cell);
  }
  return row;
}

// --- dead letters and rules

async function copy(button, code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    set("said", "Copied.");
    set(button, "Copied");
  } catch {
    getSelection().selectAllChildren(code);
    set("said", "The command is selected.");
    set(button, "Selected");
  }
  setTimeout(() => set(button, "Copy"), 2000);
}
function command(name) {
  const line = make("div", undefined, "command");
  const [code, button] = [make("code"), make("button", "Copy")];
  button.type = "button";
  button.setAttribute("aria-label", `Copy the command to ${name}`);
  button.addEventListener("click", () => copy(button, code));
  line.append(code, button);
  return line;
}
function beginLetter() {
  const card = make("li");
  const title = make("h3");
  title.append(make("span"), make("span", undefined, "count"));
  card.append(title, make("p"), command("look"), command("act"));
  return card;
}
function fillLetter(card, letter) {
  const [title, means, look, act] = card.children;
  set(title.children[0], letter.rule ? `${letter.reason} · rule ${letter.rule}` : letter.reason);
  set(title.children[1], count(letter.count));
  set(means, letter.means);
  spaced(look.firstChild, letter.look);
  spaced(act.firstChild, letter.act);
}
function letters(told) {
  const queue = told.queues.find((one) => one.role === "dead") || {};
  const held = queue.ready === null || queue.ready === undefined ? "" : ` ${queue.name} holds ${count(queue.ready)} now.`;
  const some = told.letters.length > 0;
  set("letters-hint", `${some ? "Counted since the start, on this replica." : "No event became a dead letter since the start."}${held}`
    + (some ? " The commands want a user who may read that queue." : ""));
  sync($("letters"), told.letters, (one) => JSON.stringify([one.reason, one.rule]), beginLetter, fillLetter);
}
function beginRule() {
  const row = cells(4, false);
  row.setAttribute("role", "row");
  for (const cell of row.children) cell.setAttribute("role", "cell");
  row.children[2].append(make("span", undefined, "mark"));
  return row;
}
function fillRule(row, rule) {
  const [name, done, , guarantee] = row.children;
  const label = row.children[2].firstChild;
  const [words, level] = rule.is_held ? ["held", "bad"] : !rule.creates ? ["skips", "rest"]
    : rule.is_lookup_verified === null ? ["no lookup", "rest"] : rule.is_lookup_verified ? ["lookup verified", "good"] : ["lookup unverified", "warn"];
  set(name, rule.name);
  set(done, plural(rule.done, rule.creates ? "process" : "event", rule.creates ? "processes" : "events"));
  set(label, words);
  mark(label, "level", level);
  prose(guarantee, rule.guarantee);
}
function rules(told) {
  const more = told.rules_in_all - told.rules.length;
  set("rules-hint", `Rules ${told.ready.rules}.${more > 0 ? ` ${count(more)} more are not shown; chakra-bridge check prints all.` : ""}`);
  sync($("rules"), told.rules, (rule) => rule.name, beginRule, fillRule);
}

// --- the configuration in force

async function configuration() {
  if (!$("configuration").open && !$("rule-texts").open) return;
  if (state.told && state.shownRules === state.told.rules_loaded_s) return;
  const loaded = state.told ? state.told.rules_loaded_s : null;
  let told;
  try {
    told = await ask("status-configuration.json");
  } catch {
    return;
  }
  state.shownRules = loaded;
  set("file", told.file);
  sync($("keys"), told.keys, (key) => key.key, () => cells(3, true), (row, key) => {
    [key.key, key.value, key.from].forEach((text, at) => set(row.children[at], text));
  });
  sync($("texts"), told.rules, (rule) => rule.name, () => {
    const part = make("div");
    part.append(make("h3"), make("pre"));
    return part;
  }, (part, rule) => {
    set(part.children[0], rule.name);
    set(part.children[1], rule.text === null ? "(too long to be shown here)" : rule.text);
  });
}

// --- asking

async function ask(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}
function show(told) {
  state.told = told;
  state.offset = told.now_ms - Date.now();
  state.answered = Date.now();
  standing(told);
  flow(told);
  gate(told);
  hour(told);
  letters(told);
  rules(told);
}
function fresh() {
  const age = Date.now() - state.answered;
  const longest = 2 * EVERY_MS + (state.isRefused ? 0 : ANSWER_MS);
  const isStale = state.answered > 0 && age > longest && !state.isHeld && !document.hidden;
  mark(document.body, "stale", isStale ? "yes" : null);
  $("stale").hidden = !isStale;
  if (isStale) set("stale", "The daemon does not answer. What is shown is old.");
  set("fresh", state.answered ? `as of ${span(age)} ago` : "");
}
async function poll() {
  clearTimeout(state.timer);
  try {
    show(await ask("status.json"));
    state.isRefused = false;
    await configuration();
  } catch {
    state.isRefused = true;
    if (!state.answered) set("headline-words", "The daemon does not answer yet.");
  }
  fresh();
  clearTimeout(state.timer);
  if (!state.isHeld && !document.hidden) state.timer = setTimeout(poll, EVERY_MS);
}
$("hold").addEventListener("click", () => {
  state.isHeld = !state.isHeld;
  $("hold").setAttribute("aria-pressed", String(state.isHeld));
  set("said", state.isHeld ? "Updates are paused." : "Updates go on.");
  if (!state.isHeld) poll();
});
document.addEventListener("visibilitychange", () => { if (!document.hidden && !state.isHeld) poll(); });
$("hour").addEventListener("toggle", () => { if (state.told && $("hour").open) hourTable(rowsOf(state.told.hour)); });
$("configuration").addEventListener("toggle", configuration);
$("rule-texts").addEventListener("toggle", configuration);
setInterval(turn, 1000);
poll();
