// The page: studies, the view, and its controls.

import { Connection } from "./connection.js";
import { $, element, filled } from "./elements.js";
import { Haste } from "./haste.js";
import { isLayered, panesOf, possible, showControls } from "./layouts.js";
import { legends } from "./legends.js";
import { freshView, fromAddress, toAddress } from "./link.js";
import { Region } from "./region.js";
import { screenshot } from "./screenshot.js";
import { progress, showOnly, table } from "./studies.js";
import { Windows } from "./windows.js";

const SETTLE = 180; // ms without a change, then pictures come without loss
const CHOICES = ["layout", "plane", "base", "over", "slabKind", "style"];
const SLIDERS = ["opacity", "from", "split", "squares", "strength", "floor", "slab", "level"];
const LATENCIES = 2000;
const DIGITS = { squares: 0, floor: 3, slab: 0 };
const ARRANGES = ["layout", "plane"];

const bench = {
  study: null, view: fromAddress(location.hash), panes: [], dragMode: "window", haste: new Haste(),
  latencies: [], // ms from asking to showing, the last ones: for measurements
};
bench.windows = new Windows(bench);
bench.region = new Region(bench);
globalThis.workbench = bench;
let settling = 0;
let probing = false;
let probeNext = null;

function notice(text) {
  $("notice").hidden = !text;
  $("notice").textContent = text;
}

const connection = new Connection({
  opened: () => {
    probing = false;
    notice(bench.study || !bench.opened ? "" : "Opening the study");
    if (bench.opened) bench.send({ type: "open", study: bench.view.study });
  },
  lost: () => {
    bench.region.lost();
    bench.panes.forEach((pane) => pane.lost());
  },
  told: notice,
  picture: async (about, blob) => {
    const pane = bench.panes.find((each) => each.id === about.pane);
    if (!pane?.sentAt.has(about.number)) return; // of a layout before
    const took = await pane.show(about.number, blob);
    if (!Number.isFinite(took)) return;
    if (settling && pane.plane) bench.haste.note(took);
    bench.latencies.push(took);
    if (bench.latencies.length > LATENCIES) bench.latencies.shift();
  },
  heard: (told) => ({
    study: () => opened(told),
    progress: () => { notice(""); progress(told); },
    probe: () => values(told),
    region: () => bench.region.told(told),
    picked: () => { if (told.point) goTo(told.point); },
    error: () => {
      notice(told.text);
      bench.panes.find((pane) => pane.id === told.pane)?.done(told.number);
    },
    failed: () => { notice(told.text); if (bench.rows?.length) table(bench.rows, open); },
  })[told.type]?.(),
});

bench.send = (message) => connection.send(message);

// The view

bench.windowOf = (name) => bench.windows.own("current", name);

bench.changed = (moving) => {
  bench.panes.forEach((pane) => pane.want(moving));
  clearTimeout(settling);
  settling = 0;
  if (moving) {
    settling = setTimeout(() => bench.changed(false), SETTLE);
    return;
  }
  // Not while it moves: each of these costs a layout, and browsers refuse an address that changes often.
  history.replaceState(null, "", toAddress(bench.view));
  $("window-words").textContent = bench.windows.words;
  showLegends();
  bench.region.ask();
};

bench.probe = (point) => {
  probeNext = point;
  if (probing || !bench.study) return;
  probing = bench.send({
    type: "probe", point, strength: bench.view.strength, floor: bench.view.floor,
  });
  probeNext = null;
};

function goTo(point) { // of the panes, the cross; and its values
  bench.view.pos = point;
  bench.changed(false);
  bench.probe(point);
}

function values({ rows, point }) {
  probing = false;
  if (probeNext) bench.probe(probeNext);
  $("where").textContent = `${point.map((x, i) => `${"RAS"[i]} ${x.toFixed(1)}`).join(", ")} mm`;
  filled($("values").tBodies[0], rows, ([name, value]) => {
    const row = document.createElement("tr");
    row.append(element("th", name, { scope: "row" }), element("td", value));
    return row;
  });
}

function arrange() {
  const { view } = bench;
  bench.panes.forEach((pane) => pane.element.remove());
  bench.panes = panesOf(bench);
  $("panes").dataset.layout = view.layout;
  $("panes").append(...bench.panes.map((pane) => pane.element));
  controls();
  document.title = `${bench.study.title} - WDualMine`;
  bench.changed(false);
}

// The controls

function controls() {
  const { view } = bench;
  for (const id of SLIDERS) slide(id);
  for (const id of CHOICES) $(id).value = view[id];
  $("flagged").checked = Boolean(view.flagged);
  $("drag").value = bench.dragMode;
  showControls(bench);
}

function slide(id) { // a slider and its number to what is seen
  const { view, study } = bench;
  const map = study.parts.find((part) => part.name === view.over);
  const value = view[id] ?? { from: map?.from ?? 0, ...study.look }[id];
  const words = Number(value).toFixed(DIGITS[id] ?? 2);
  const output = $(id).parentElement.querySelector("output");
  if (Number($(id).value) !== value) $(id).value = value;
  if (output.textContent !== words) output.textContent = words;
}

function showLegends() {
  const { view } = bench;
  const bases = { side: ["fixed", "moving"], checkerboard: ["fixed", "moving"], curtain: ["fixed", "moving"] };
  const names = [...(bases[view.layout] ?? [view.base]), isLayered(view.layout) ? view.over : ""];
  if (view.layout === "four" && view.flagged) names.push("reliability_fixed"); // seen through the volume
  const seen = [...new Set(names)].map((name) => bench.windows.volume("current", name)).filter(Boolean);
  legends(seen, ({ name, map, window }) => (map ? window : bench.windows.get("current", name)));
}

bench.change = (id, value) => {
  const { view } = bench;
  const appears = id === "slab" && !value !== !view.slab;
  view[id] = value;
  if (id === "over") view.from = null;
  if (ARRANGES.includes(id)) {
    arrange();
    return;
  }
  if (SLIDERS.includes(id) && !appears) slide(id); // sixty times a second
  else controls();
  bench.changed(SLIDERS.includes(id));
};

for (const id of CHOICES) $(id).addEventListener("change", () => bench.change(id, $(id).value));
for (const id of SLIDERS) $(id).addEventListener("input", () => bench.change(id, Number($(id).value)));
$("flagged").addEventListener("change", () => bench.change("flagged", Number($("flagged").checked)));
$("drag").addEventListener("change", () => { bench.dragMode = $("drag").value; });
$("reset").addEventListener("click", () => {
  const { study, layout } = bench.view;
  bench.view = { ...freshView(), study, layout, pos: bench.study.centre };
  arrange();
});
$("link").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(location.href);
    notice("The link is on the clipboard. Who opens it needs the address with the token once.");
  } catch {
    notice(`Copy it from the address bar: ${location.href}`);
  }
});
$("screenshot").addEventListener("click", () => screenshot(bench));

// Studies

function opened(study) {
  bench.study = study;
  const { view } = bench;
  view.pos ??= study.centre;
  const volumes = bench.windows.volumes("current");
  const has = (name) => volumes.some((volume) => volume.name === name);
  if (!has(view.base)) view.base = "fused";
  if (!has(view.over)) view.over = "";
  if (!possible(view.layout, study)) view.layout = "planes";
  view.windows = Object.fromEntries(Object.entries(view.windows)
    .filter(([name]) => has(name) || (study.prior && name.startsWith("prior."))));
  notice("");
  showOnly("workbench");
  $("title").textContent = study.title;
  $("whose").textContent = study.whose;
  $("warning").textContent = study.warning;
  $("warning").hidden = !study.warning;
  $("prior-warning").textContent = study.prior?.warning ?? "";
  $("prior-title").textContent = study.prior ? [`Prior: ${study.prior.title}.`, ...study.prior.notes].join(" ") : "";
  $("footer").textContent = study.footer;
  $("back").hidden = !bench.rows.length;
  for (const option of $("layout").options) option.disabled = !possible(option.value, study);
  const choice = (each) => element("option", each.heading, { value: each.name });
  filled($("base"), volumes.filter((each) => !each.map), choice);
  const overlays = volumes.filter((each) => each.overlay || each.map === undefined);
  filled($("over"), [{ name: "", heading: "Nothing" }, ...overlays], choice);
  $("no-sources").textContent = study.notes.join(" ");
  $("no-sources").hidden = !study.notes.length;
  $("floor").min = Math.min(0.9, study.look.floor);
  $("fixed-look").hidden = study.look.changes;
  for (const id of ["strength", "floor"]) $(id).disabled = !study.look.changes;
  if (!study.look.changes) view.strength = view.floor = null;
  filled($("doubts"), study.doubts, (doubt) => {
    const item = document.createElement("li");
    const jump = element("button", doubt.text, { type: "button" });
    jump.addEventListener("click", () => goTo(doubt.point));
    item.append(jump);
    return item;
  });
  if (!study.doubts.length) $("doubts").append(element("li", "None. That is no certificate."));
  filled($("details"), study.sections, ({ heading, rows }) => {
    const section = element("section", "");
    section.append(element("h2", heading));
    for (const [name, text] of rows) section.append(element("p", name ? `${name}: ${text}` : text));
    return section;
  });
  arrange();
  bench.probe(view.pos);
}

function open(number) {
  if (number !== bench.view.study || bench.study) bench.view = { ...freshView(), study: number };
  bench.study = null;
  bench.opened = true;
  notice("Opening the study");
  bench.send({ type: "open", study: number });
}

$("cancel").addEventListener("click", () => bench.send({ type: "cancel" }));
$("start").addEventListener("click", () => bench.send({ type: "start" }));
$("back").addEventListener("click", () => {
  bench.opened = false;
  bench.study = null;
  history.replaceState(null, "", "#");
  notice("");
  table(bench.rows, open);
});
addEventListener("resize", () => bench.study && bench.changed(true));
addEventListener("hashchange", () => {
  const view = fromAddress(location.hash);
  if (!bench.study || view.study !== bench.view.study) return;
  if (!possible(view.layout, bench.study)) view.layout = "planes";
  bench.view = { ...view, pos: view.pos ?? bench.study.centre };
  arrange();
});
if (matchMedia("(pointer: coarse)").matches) bench.dragMode = "scroll";

async function begin() {
  try {
    const answer = await fetch("/studies");
    const told = await answer.json();
    if (told.failure) { notice(told.failure); return; }
    bench.rows = told;
  } catch {
    setTimeout(begin, 1000);
    return;
  }
  const chosen = new URLSearchParams(location.hash.slice(1)).has("study");
  bench.opened = !bench.rows.length || chosen;
  if (!bench.opened) { notice(""); table(bench.rows, open); }
  connection.connect();
}

begin();
