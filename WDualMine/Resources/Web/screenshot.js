// What is seen, as a picture that the browser saves.

import { $, element } from "./elements.js";
import { drawLegends } from "./legends.js";

const LINE = 20;

export function screenshot(bench) {
  const box = $("panes").getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  const legends = $("legend").hidden ? 0 : 1;
  const sheet = element("canvas", "", {
    width: Math.round(box.width * ratio), height: Math.round(box.height * ratio) + LINE * (1 + legends),
  });
  const context = sheet.getContext("2d");
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.fillStyle = "#fff";
  context.font = "13px sans-serif";
  for (const pane of bench.panes) {
    const place = pane.picture.getBoundingClientRect();
    const [x, y, w, h] = [place.left - box.left, place.top - box.top, place.width, place.height]
      .map((length) => length * ratio);
    context.drawImage(pane.canvas, x, y, w, h);
    context.fillText(pane.caption.textContent, x + 6, y + 16);
    const { region } = bench.view;
    if (pane.outline && !pane.outline.element.hidden) {
      const [left, top] = pane.onScreen(region.centre);
      const [rx, ry] = region.half.map((mm) => (mm / pane.scale) * ratio);
      context.save();
      context.beginPath();
      context.rect(x, y, w, h);
      context.clip();
      context.beginPath();
      if (region.shape === "circle") context.ellipse(x + left * ratio, y + top * ratio, rx, ry, 0, 0, 7);
      else context.rect(x + left * ratio - rx, y + top * ratio - ry, 2 * rx, 2 * ry);
      context.lineWidth = 2;
      context.strokeStyle = "#7dff9a";
      context.stroke();
      context.restore();
    }
  }
  if (legends) drawLegends(context, 6, sheet.height - LINE - 6, sheet.width / 4);
  context.fillText(`${bench.study.title}. Not for diagnosis.`, 6, sheet.height - 6);
  sheet.toBlob((blob) => {
    const address = URL.createObjectURL(blob);
    element("a", "", { href: address, download: "wdualmine.png" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  });
}
