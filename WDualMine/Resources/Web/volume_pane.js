// A pane with a volume seen from a side.

import { clamped, dot, edgesOf, made, plus, pointers } from "./elements.js";
import { PicturePane } from "./picture_pane.js";

const TURN = 10; // degrees of a key
const EACH_PIXEL = 0.5; // degrees
const SIDES = { 1: [0, 0], 2: [180, 0], 3: [90, 0], 4: [-90, 0], 5: [0, 90], 6: [0, -90] };

export class VolumePane extends PicturePane {
  constructor(bench, told) {
    super(bench, told.id, told.heading);
    this.spot = made("div", "spot", this.picture);
    this.inSight = false; // on a phone it may lie below the others
    new IntersectionObserver(([entry]) => {
      this.inSight = entry.isIntersecting;
      this.fly();
    }).observe(this.element);
    const area = this.picture;
    area.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 300));
    }, { passive: false });
    pointers(area, {
      drag: (dx, dy) => this.turn(dx * EACH_PIXEL, dy * EACH_PIXEL),
      pinch: (factor) => this.zoom(factor),
      end: (event, travelled) => { if (travelled < 4) this.pick(event); },
    });
    area.addEventListener("keydown", (event) => {
      const does = {
        ArrowLeft: () => this.turn(-TURN, 0), ArrowRight: () => this.turn(TURN, 0),
        ArrowUp: () => this.turn(0, -TURN), ArrowDown: () => this.turn(0, TURN),
        "+": () => this.zoom(1.25), "-": () => this.zoom(0.8), Home: () => this.look(0, 0),
      }[event.key] ?? (SIDES[event.key] && (() => this.look(...SIDES[event.key])));
      if (!does || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      does();
    });
  }

  // The sides of the screen in RAS, as scene/views/projection.py has them.
  get axes() {
    const [a, e] = this.bench.view.turned.map((degrees) => (degrees * Math.PI) / 180);
    const towards = [Math.cos(e) * Math.sin(a), Math.cos(e) * Math.cos(a), Math.sin(e)];
    const right = [-Math.cos(a), Math.sin(a), 0];
    const up = [0, 1, 2].map((i) => {
      const [j, k] = [(i + 1) % 3, (i + 2) % 3];
      return towards[j] * right[k] - towards[k] * right[j];
    });
    return { right, up };
  }

  look(azimuth, elevation) {
    const around = ((azimuth % 360) + 540) % 360 - 180;
    this.bench.view.turned = [around, clamped(elevation, -90, 90)];
    this.bench.changed(true);
  }

  turn(around, over) {
    const [azimuth, elevation] = this.bench.view.turned;
    this.look(azimuth + around, elevation + over);
  }

  zoom(factor) {
    this.bench.view.near = clamped(this.bench.view.near * factor, 0.5, 8);
    this.bench.changed(true);
  }

  get scale() { // mm for each CSS pixel
    return this.bench.study.field / this.bench.view.near / this.shorter;
  }

  pick(event) { // the cross goes to what is seen there
    const { right, up } = this.axes;
    const box = this.picture.getBoundingClientRect();
    const x = event.clientX - box.left - box.width / 2;
    const y = box.top + box.height / 2 - event.clientY;
    const centre = plus(plus(this.bench.study.centre, right, x * this.scale), up, y * this.scale);
    const { windows, strength, floor } = this.bench.view;
    this.bench.send({
      pane: this.id, number: 0, size: this.size, windows, strength, floor, ...this.asks(), centre, type: "pick",
    });
  }

  asks() {
    const { view, study } = this.bench;
    const [azimuth, elevation] = view.turned;
    return {
      type: "volume", base: this.base, style: view.style, level: view.level,
      flagged: Boolean(view.flagged), azimuth, elevation, centre: study.centre,
      field: study.field / view.near,
    };
  }

  fly() {
    if (this.inSight) super.fly();
  }

  get base() { // colours have neither surface nor maximum
    const { view } = this.bench;
    return this.bench.windowOf(view.base) ? view.base : "fused";
  }

  mark() {
    const { view, study } = this.bench;
    const { right, up } = this.axes;
    const away = plus(view.pos, study.centre, -1);
    const x = this.picture.clientWidth / 2 + dot(away, right) / this.scale;
    const y = this.picture.clientHeight / 2 - dot(away, up) / this.scale;
    this.spot.style.transform = `translate(${x}px, ${y}px)`;
    this.name(edgesOf(right, up));
    const from = view.turned.map((degrees) => Math.round(degrees));
    const what = view.style === "surface" ? "surface" : "maximum";
    this.write(this.caption, `3-D, ${what}, ${from[0]}° around, ${from[1]}° above`);
    this.label(`${this.caption.textContent}. Arrow keys turn it, 1 to 6 show it from a side, Home from anterior.`);
  }
}
