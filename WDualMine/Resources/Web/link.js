// What a viewer looks at: kept in the page and in its address, nowhere on the server.

import { clamped } from "./elements.js";

const RANGES = {
  study: [0, 1e9], opacity: [0, 1], from: [0, 1], split: [0, 1], squares: [1, 64], strength: [0, 2],
  floor: [0, 0.9999], zoom: [0.25, 40], slab: [0, 100], level: [0, 1], near: [0.5, 8], flagged: [0, 1],
};
const POINTS = { pos: 3, pan: 3, turned: 2 };
const CHOICES = {
  layout: ["planes", "four", "side", "checkerboard", "curtain", "prior"],
  plane: ["axial", "coronal", "sagittal"],
  slabKind: ["maximum", "mean", "minimum"],
  style: ["surface", "maximum"],
};
const SHAPES = ["circle", "rectangle"];

export function freshView() {
  return {
    study: 0, layout: "planes", plane: "axial", base: "fused", over: "", opacity: 0.5, from: null,
    split: 0.5, squares: 6, slab: 0, slabKind: "maximum", strength: null, floor: null, zoom: 1,
    pan: [0, 0, 0], pos: null, windows: {}, region: null,
    style: "surface", level: 0.2, flagged: 1, turned: [0, 0], near: 1,
  };
}

const short = (numbers) => numbers.map((x) => +x.toFixed(2)).join(",");

export function toAddress(view) {
  const words = new URLSearchParams();
  const usual = freshView();
  for (const key of Object.keys(RANGES)) {
    if (view[key] !== usual[key] && view[key] !== null) words.set(key, +view[key].toFixed(4));
  }
  for (const key of [...Object.keys(CHOICES), "base", "over"]) {
    if (view[key] !== usual[key]) words.set(key, view[key]);
  }
  for (const key of Object.keys(POINTS)) {
    if (view[key] && `${view[key]}` !== `${usual[key]}`) words.set(key, short(view[key]));
  }
  for (const [name, window] of Object.entries(view.windows)) {
    words.set(`window.${name}`, window.map((x) => +x.toPrecision(6)).join(","));
  }
  if (view.region) {
    const { shape, plane, centre, half } = view.region;
    words.set("region", `${shape},${plane},${short([...centre, ...half])}`);
  }
  return `#${words}`;
}

function numbers(text, count) {
  const found = text.split(",").map(Number);
  return found.length === count && found.every(Number.isFinite) ? found : null;
}

function region(text) {
  const [shape, plane, ...rest] = text.split(",");
  const found = numbers(rest.join(","), 5);
  if (!found || !SHAPES.includes(shape) || !CHOICES.plane.includes(plane)) return null;
  const half = found.slice(3);
  return half.every((mm) => mm > 0 && mm <= 500) ? { shape, plane, centre: found.slice(0, 3), half } : null;
}

export function fromAddress(address) {
  const view = freshView();
  for (const [key, text] of new URLSearchParams(address.replace(/^#/, ""))) {
    if (key in RANGES) {
      if (Number.isFinite(Number(text))) view[key] = clamped(Number(text), ...RANGES[key]);
    } else if (key in POINTS) view[key] = numbers(text, POINTS[key]) ?? view[key];
    else if (key in CHOICES) view[key] = CHOICES[key].includes(text) ? text : view[key];
    else if (key.startsWith("window.")) {
      const window = numbers(text, 2);
      if (window && window[0] < window[1]) view.windows[key.slice(7)] = window;
    } else if (key === "region") view.region = region(text);
    else if (key === "base" || key === "over") view[key] = text;
  }
  view.turned[1] = clamped(view.turned[1], -90, 90);
  view.turned[0] %= 360;
  return view;
}
