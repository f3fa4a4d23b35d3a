// The page: one socket, one view, its panes and its controls.

import { freshView, fromAddress, toAddress } from "./link.js";
import { Pane } from "./panes.js";

const $ = (id) => document.getElementById(id);
const PLANES = ["axial", "coronal", "sagittal"];
const SETTLE = 180; // ms without a change, then pictures come without loss
const IDLE = 4001;

const bench = {
  study: null, view: fromAddress(location.hash), panes: [], dragMode: "window",
  latencies: [], // ms from asking to showing, the last thousand: for measurements
};
globalThis.workbench = bench;
let socket = null;
let failures = 0;
let settling = 0;
let probing = false;
let probeNext = null;

const volumes = () => [...bench.study.sources, ...bench.study.parts];
const titled = (word) => word[0].toUpperCase() + word.slice(1);

function notice(text) {
  $("notice").hidden = !text;
  $("notice").textContent = text;
}

function showOnly(id) {
  for (const each of ["fusing", "studies", "workbench"]) $(each).hidden = each !== id;
}

function filled(list, items, make) {
  list.replaceChildren(...items.map(make));
}

function element(tag, text, more = {}) {
  return Object.assign(document.createElement(tag), { textContent: text, ...more });
}

// The socket

bench.send = (message) => {
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(message));
  return true;
};

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}/socket`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    failures = 0;
    probing = false;
    notice(bench.study || !bench.opened ? "" : "Opening the study");
    if (bench.opened) bench.send({ type: "open", study: bench.view.study });
  };
  socket.onmessage = ({ data }) => (typeof data === "string" ? hear(JSON.parse(data)) : picture(data));
  socket.onclose = ({ code }) => {
    bench.panes.forEach((pane) => pane.lost());
    if (code === IDLE) {
      notice("Let go, because nothing was asked for. Click or press a key to go on.");
      const wake = () => {
        removeEventListener("pointerdown", wake);
        removeEventListener("keydown", wake);
        connect();
      };
      addEventListener("pointerdown", wake);
      addEventListener("keydown", wake);
      return;
    }
    failures += 1;
    notice(failures < 6 ? "The connection was lost. Connecting again."
      : "The server does not answer. Is it running? Open its address again.");
    setTimeout(connect, Math.min(500 * failures, 5000));
  };
}

async function picture(data) {
  const length = new DataView(data).getUint32(0);
  const about = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  const pane = bench.panes.find((each) => each.id === about.pane);
  if (!pane || !pane.sentAt.has(about.number)) return; // of a layout before
  const took = await pane.show(about.number, new Blob([new Uint8Array(data, 4 + length)]));
  if (Number.isFinite(took)) bench.latencies.push(took);
  if (bench.latencies.length > 1000) bench.latencies.shift();
}

function hear(told) {
  const does = {
    study: () => opened(told),
    progress: () => progress(told),
    probe: () => values(told),
    error: () => {
      notice(told.text);
      bench.panes.find((pane) => pane.id === told.pane)?.done(told.number);
    },
    failed: () => { notice(told.text); if (bench.rows?.length) table(); },
  }[told.type];
  does?.();
}

// The view

bench.windowOf = (name) => volumes().find((each) => each.name === name)?.window ?? null;

bench.changed = (moving) => {
  bench.panes.forEach((pane) => pane.want(moving));
  windowWords();
  clearTimeout(settling);
  if (moving) settling = setTimeout(() => bench.changed(false), SETTLE);
  // Not while it moves: browsers refuse an address that changes a hundred times in half a minute.
  else history.replaceState(null, "", toAddress(bench.view));
};

bench.probe = (point) => {
  probeNext = point;
  if (probing || !bench.study) return;
  probing = bench.send({
    type: "probe", point, strength: bench.view.strength, floor: bench.view.floor,
  });
  probeNext = null;
};

function values({ rows, point }) {
  probing = false;
  if (probeNext) bench.probe(probeNext);
  $("where").textContent = point
    .map((x, i) => `${"RAS"[i]} ${x.toFixed(1)}`).join(", ") + " mm";
  filled($("values").tBodies[0], rows, ([name, value]) => {
    const row = document.createElement("tr");
    row.append(element("th", name, { scope: "row" }), element("td", value));
    return row;
  });
}

function windowWords() {
  const words = Object.entries(bench.view.windows).map(([name, [low, high]]) => {
    const volume = volumes().find((each) => each.name === name);
    return volume && `${volume.heading}: ${low.toPrecision(4)} to ${high.toPrecision(4)} ${volume.unit}`;
  });
  $("window-words").textContent = words.some(Boolean) ? `Window of ${words.join("; ")}` : "";
}

function arrange() {
  const { view, study } = bench;
  bench.panes.forEach((pane) => pane.element.remove());
  const layers = () => ({ mode: "layers", base: view.base, over: view.over });
  const only = (base) => () => ({ mode: "layers", base, over: base === "fused" ? view.over : "" });
  const compared = () => ({ mode: view.layout, base: "fixed", over: "" });
  bench.panes = view.layout === "side"
    ? ["fixed", "moving", "fused"].map((name) => new Pane(bench, name, view.plane,
      `${titled(name)}, ${view.plane}`, only(name)))
    : PLANES.map((plane) => new Pane(bench, plane, plane, titled(plane),
      view.layout === "planes" ? layers : compared));
  $("panes").dataset.layout = view.layout;
  $("panes").append(...bench.panes.map((pane) => pane.element));
  for (const each of ["layers", "planes", "side", "curtain", "checkerboard"]) {
    const shown = each === view.layout || (each === "layers" && ["planes", "side"].includes(view.layout));
    document.querySelectorAll(`.only-${each}`).forEach((label) => { label.hidden = !shown; });
  }
  controls();
  document.title = `${study.title} - WDualMine`;
  bench.changed(false);
}

// The controls

function controls() {
  const { view, study } = bench;
  const map = study.parts.find((part) => part.name === view.over);
  const shown = {
    opacity: view.opacity, from: view.from ?? map?.from ?? 0, split: view.split,
    squares: view.squares, strength: view.strength ?? study.look.strength,
    floor: view.floor ?? study.look.floor,
  };
  for (const [id, value] of Object.entries(shown)) {
    $(id).value = value;
    $(id).parentElement.querySelector("output").textContent = Number(value).toFixed(
      { squares: 0, floor: 3 }[id] ?? 2);
  }
  for (const id of ["layout", "plane", "base", "over"]) $(id).value = view[id];
  $("drag").value = bench.dragMode;
  const layered = ["planes", "side"].includes(view.layout);
  document.querySelectorAll(".needs-over").forEach((e) => { e.hidden = !layered || !view.over; });
  document.querySelectorAll(".needs-threshold").forEach((e) => { e.hidden = !layered || map?.from == null; });
  legend(layered ? map : null);
}

function legend(map) {
  $("legend").hidden = !map?.colours.length;
  if ($("legend").hidden) return;
  const [caption, canvas, ends] = $("legend").children;
  caption.textContent = `${map.heading} (${map.unit})`;
  const context = canvas.getContext("2d");
  const colours = context.createLinearGradient(0, 0, canvas.width, 0);
  map.colours.forEach((c, i) => colours.addColorStop(i / (map.colours.length - 1), c));
  context.fillStyle = colours;
  context.fillRect(0, 0, canvas.width, canvas.height);
  const words = map.window.map((value, i) => `${value}: ${map.ends[i]}`);
  canvas.setAttribute("aria-label", words.join(", "));
  [...ends.children].forEach((span, i) => { span.textContent = words[i]; });
}

function change(id, value) {
  bench.view[id] = value;
  if (id === "over") bench.view.from = null;
  if (id === "layout" || id === "plane") arrange();
  else {
    controls();
    bench.changed(typeof value === "number");
  }
}

for (const id of ["layout", "plane", "base", "over"]) {
  $(id).addEventListener("change", () => change(id, $(id).value));
}
for (const id of ["opacity", "from", "split", "squares", "strength", "floor"]) {
  $(id).addEventListener("input", () => change(id, Number($(id).value)));
}
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
$("screenshot").addEventListener("click", () => {
  const box = $("panes").getBoundingClientRect();
  const ratio = bench.panes[0].canvas.width / bench.panes[0].picture.clientWidth;
  const sheet = element("canvas", "", {
    width: Math.round(box.width * ratio), height: Math.round(box.height * ratio) + 24,
  });
  const context = sheet.getContext("2d");
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.fillStyle = "#fff";
  context.font = "13px sans-serif";
  for (const pane of bench.panes) {
    const place = pane.picture.getBoundingClientRect();
    const [x, y, w, h] = [place.left - box.left, place.top - box.top, place.width, place.height];
    context.drawImage(pane.canvas, x * ratio, y * ratio, w * ratio, h * ratio);
    context.fillText(pane.caption.textContent, x * ratio + 6, y * ratio + 16);
  }
  let words = `${bench.study.title}. Not for diagnosis.`;
  if (!$("legend").hidden) {
    const [caption, colours, ends] = $("legend").children;
    words += `  ${caption.textContent}, ${[...ends.children].map((e) => e.textContent).join(", ")}:`;
    context.drawImage(colours, 12 + context.measureText(words).width, sheet.height - 18, 120, 12);
  }
  context.fillText(words, 6, sheet.height - 8);
  sheet.toBlob((blob) => {
    const address = URL.createObjectURL(blob);
    element("a", "", { href: address, download: "wdualmine.png" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  });
});

// Studies

function opened(study) {
  bench.study = study;
  const { view } = bench;
  view.pos ??= study.centre;
  const has = (name) => volumes().some((volume) => volume.name === name);
  const both = study.sources.length === 2;
  if (!has(view.base)) view.base = "fused";
  if (!has(view.over)) view.over = "";
  if (!both) view.layout = "planes";
  view.windows = Object.fromEntries(Object.entries(view.windows).filter(([name]) => has(name)));
  notice("");
  showOnly("workbench");
  $("title").textContent = study.title;
  $("whose").textContent = study.whose;
  $("warning").textContent = study.warning;
  $("warning").hidden = !study.warning;
  $("footer").textContent = study.footer;
  $("back").hidden = !bench.rows.length;
  for (const option of $("layout").options) option.disabled = option.value !== "planes" && !both;
  const choice = (each) => element("option", each.heading, { value: each.name });
  filled($("base"), volumes().filter((each) => !each.map), choice);
  const overlays = volumes().filter((each) => each.overlay || each.map === undefined);
  filled($("over"), [{ name: "", heading: "Nothing" }, ...overlays], choice);
  $("no-sources").textContent = study.notes.join(" ");
  $("no-sources").hidden = both;
  $("floor").min = Math.min(0.9, study.look.floor);
  $("fixed-look").hidden = study.look.changes;
  for (const id of ["strength", "floor"]) $(id).disabled = !study.look.changes;
  if (!study.look.changes) view.strength = view.floor = null;
  filled($("doubts"), study.doubts, (doubt) => {
    const item = document.createElement("li");
    const jump = element("button", doubt.text, { type: "button" });
    jump.addEventListener("click", () => {
      bench.view.pos = doubt.point;
      bench.changed(false);
      bench.probe(doubt.point);
    });
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

function table() {
  showOnly("studies");
  $("back").hidden = true;
  $("title").textContent = "WDualMine";
  $("whose").textContent = "";
  $("warning").hidden = true;
  filled(document.querySelector("#studies tbody"), bench.rows, (row) => {
    const line = document.createElement("tr");
    const first = document.createElement("td");
    const go = element("button", row.heading, { type: "button", disabled: !row.there });
    go.addEventListener("click", () => open(row.number));
    first.append(go);
    const figure = (x, digits) => (typeof x === "number" ? x.toFixed(digits) : "");
    line.append(first, ...[
      row.words ? `${row.state}: ${row.words}` : row.state ?? "", row.verdict ?? "",
      figure(row.cc_over_bound, 4), figure(row.flagged_ml, 1),
    ].map((text) => element("td", text)));
    return line;
  });
}

function progress({ fraction, text, failure }) {
  showOnly("fusing");
  notice("");
  $("progress").value = fraction;
  $("stage").textContent = failure || `${Math.round(100 * fraction)} %: ${text}`;
  $("cancel").hidden = Boolean(failure);
  $("start").hidden = !failure;
}

$("cancel").addEventListener("click", () => bench.send({ type: "cancel" }));
$("start").addEventListener("click", () => bench.send({ type: "start" }));
$("back").addEventListener("click", () => {
  bench.opened = false;
  bench.study = null;
  history.replaceState(null, "", "#");
  notice("");
  table();
});
addEventListener("resize", () => bench.study && bench.changed(true));
addEventListener("hashchange", () => {
  const view = fromAddress(location.hash);
  if (!bench.study || view.study !== bench.view.study) return;
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
  if (!bench.opened) { notice(""); table(); }
  connect();
}

begin();
