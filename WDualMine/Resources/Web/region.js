// A region drawn on a slice, and the values in it.

import { $, clamped, dot, element, filled, made, plus } from "./elements.js";

const SHAPES = ["circle", "rectangle"];
const USUAL = 10; // mm, half the size of a region that a key places
const LARGEST = 500;
const PAUSE = 120; // ms between two questions while it is drawn

export class Region { // kept in the view: { shape, plane, centre, half }
  constructor(bench) {
    this.bench = bench;
    this.asking = this.number = 0;
    for (const [id, factor] of [["smaller", 0.8], ["larger", 1.25]]) {
      $(`region-${id}`).addEventListener("click", () => this.grow(factor));
    }
    $("region-remove").addEventListener("click", () => this.remove());
  }

  get draws() { return SHAPES.includes(this.bench.dragMode); }

  begin(pane, event) {
    this.from = pane.at(event);
  }

  draw(pane, event) {
    const { plane } = pane;
    const to = pane.at(event);
    const away = plus(to, this.from, -1);
    const [x, y] = [dot(away, plane.right), dot(away, plane.up)];
    const shape = this.bench.dragMode;
    const round = shape === "circle";
    const centre = round ? this.from : plus(this.from, away, 0.5);
    const half = round ? Array(2).fill(Math.hypot(x, y)) : [Math.abs(x) / 2, Math.abs(y) / 2];
    this.set({ shape, plane: pane.planeName, centre, half: half.map((mm) => clamped(mm, 0.5, LARGEST)) });
  }

  place(pane, shape) { // at the cross, as large as the last one
    const { view } = this.bench;
    this.set({ shape, plane: pane.planeName, centre: [...view.pos], half: view.region?.half ?? [USUAL, USUAL] });
  }

  grow(factor) {
    const { region } = this.bench.view;
    if (region) this.set({ ...region, half: region.half.map((mm) => clamped(mm * factor, 0.5, LARGEST)) });
  }

  remove() { this.set(null); }

  set(region) {
    this.bench.view.region = region;
    $("region").hidden = !region;
    this.bench.changed(true);
  }

  ask() { // what is in it now, in this look; the newest question counts
    const { region, strength, floor } = this.bench.view;
    $("region").hidden = !region;
    if (!region) return;
    const question = JSON.stringify({ type: "region", ...region, strength, floor });
    if (question === this.asked) return;
    clearTimeout(this.asking);
    this.asking = setTimeout(() => {
      if (!this.bench.send({ ...JSON.parse(question), number: this.number + 1 })) return;
      this.number += 1;
      this.asked = question;
    }, PAUSE);
  }

  lost() { this.asked = null; }

  told({ rows, number }) {
    if (number !== this.number) return; // a later one is under way
    const region = JSON.parse(this.asked);
    const [w, h] = region.half.map((mm) => (2 * mm).toFixed(1));
    $("region-words").textContent = region.shape === "circle"
      ? `Circle of ${w} mm, ${region.plane}` : `Rectangle of ${w} x ${h} mm, ${region.plane}`;
    filled($("region-values").tBodies[0], rows, ([name, mean, voxels]) => {
      const row = document.createElement("tr");
      const cell = element("td", mean);
      cell.append(element("small", voxels));
      row.append(element("th", name, { scope: "row" }), cell);
      return row;
    });
  }
}

export class Outline { // of the region, on one pane
  constructor(pane) {
    this.pane = pane;
    this.element = made("div", "region", pane.picture);
    this.element.hidden = true;
  }

  mark() {
    const { region } = this.pane.bench.view;
    const { plane, planeName, scale } = this.pane;
    const shown = region?.plane === planeName;
    if (this.element.hidden !== !shown) this.element.hidden = !shown;
    if (!shown) return;
    const [x, y] = this.pane.onScreen(region.centre);
    const [w, h] = region.half.map((mm) => (2 * mm) / scale);
    const away = dot(plus(region.centre, this.pane.bench.view.pos, -1), plane.normal);
    Object.assign(this.element.style, {
      width: `${w}px`, height: `${h}px`, transform: `translate(${x - w / 2}px, ${y - h / 2}px)`,
    });
    this.element.dataset.shape = region.shape;
    this.element.dataset.elsewhere = String(Math.abs(away) > plane.step / 2);
  }
}
