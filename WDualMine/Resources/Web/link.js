// What a viewer looks at: kept in the page and in its address, nowhere on the server.

const NUMBERS = ["opacity", "from", "split", "squares", "strength", "floor", "zoom", "study"];
const WORDS = ["layout", "plane", "base", "over"];
const LAYOUTS = ["planes", "side", "checkerboard", "curtain"];

export function freshView() {
  return {
    study: 0, layout: "planes", plane: "axial", base: "fused", over: "", opacity: 0.5, from: null,
    split: 0.5, squares: 6, strength: null, floor: null, zoom: 1, pan: [0, 0, 0], pos: null,
    windows: {},
  };
}

export function toAddress(view) {
  const words = new URLSearchParams();
  const usual = freshView();
  for (const key of [...NUMBERS, ...WORDS]) {
    if (view[key] !== usual[key] && view[key] !== null) {
      words.set(key, typeof view[key] === "number" ? +view[key].toFixed(4) : view[key]);
    }
  }
  if (view.pos) words.set("pos", view.pos.map((x) => x.toFixed(2)).join(","));
  if (view.pan.some((x) => x)) words.set("pan", view.pan.map((x) => x.toFixed(2)).join(","));
  for (const [name, window] of Object.entries(view.windows)) {
    words.set(`window.${name}`, window.map((x) => +x.toPrecision(6)).join(","));
  }
  return `#${words}`;
}

export function fromAddress(address) {
  const view = freshView();
  const numbers = (text, count) => {
    const found = text.split(",").map(Number);
    return found.length === count && found.every(Number.isFinite) ? found : null;
  };
  for (const [key, text] of new URLSearchParams(address.replace(/^#/, ""))) {
    if (NUMBERS.includes(key) && Number.isFinite(Number(text))) view[key] = Number(text);
    else if (key === "pos" || key === "pan") view[key] = numbers(text, 3) ?? view[key];
    else if (key.startsWith("window.")) {
      const window = numbers(text, 2);
      if (window && window[0] < window[1]) view.windows[key.slice(7)] = window;
    } else if (WORDS.includes(key)) view[key] = text;
  }
  if (!LAYOUTS.includes(view.layout)) view.layout = "planes";
  if (!["axial", "coronal", "sagittal"].includes(view.plane)) view.plane = "axial";
  view.zoom = Math.min(Math.max(view.zoom, 0.25), 40);
  return view;
}
