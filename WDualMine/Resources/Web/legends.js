// Colour bars of what is shown in colours.

import { $, element, filled } from "./elements.js";

function bar({ heading, unit, colours, ends }) {
  const figure = document.createElement("figure");
  const canvas = element("canvas", "", { width: 256, height: 12 });
  const context = canvas.getContext("2d");
  const gradient = context.createLinearGradient(0, 0, canvas.width, 0);
  colours.forEach((colour, i) => gradient.addColorStop(i / (colours.length - 1), colour));
  context.fillStyle = gradient;
  context.fillRect(0, 0, canvas.width, canvas.height);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${heading}: ${ends.join(", ")}`);
  const words = document.createElement("p");
  words.append(...ends.map((end) => element("span", end)));
  figure.append(element("figcaption", `${heading} (${unit || "no unit"})`), canvas, words);
  return figure;
}

// volumes: what is shown; windowOf(volume): its window now
export function legends(volumes, windowOf) {
  const bars = volumes.filter(({ colours }) => colours.length).map((volume) => {
    const ends = windowOf(volume).map((value, i) => {
      const meaning = volume.ends?.[i];
      return meaning ? `${value}: ${meaning}` : `${Number(value.toPrecision(3))} ${volume.unit}`.trim();
    });
    return { ...volume, ends };
  });
  const told = JSON.stringify(bars);
  const list = $("legend");
  if (list.dataset.told === told) return;
  list.dataset.told = told;
  list.hidden = !bars.length;
  filled(list, bars, bar);
}

export function drawLegends(context, x, y, room) {
  let at = x;
  for (const figure of $("legend").children) {
    const [caption, colours, ends] = figure.children;
    const words = `${caption.textContent}, ${[...ends.children].map((e) => e.textContent).join(" to ")}`;
    context.fillText(words, at, y);
    at += context.measureText(words).width + 8;
    context.drawImage(colours, at, y - 10, Math.min(120, room), 12);
    at += 136;
  }
}
