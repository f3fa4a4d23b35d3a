// A pane with a slice: pointers and keys become movements in RAS mm.

import { clamped, dot, edgesOf, made, plus, pointers } from "./elements.js";
import { PicturePane } from "./picture_pane.js";
import { Outline } from "./region.js";

export class SlicePane extends PicturePane {
  // told: { id, plane, heading, which, layers() -> what is shown }
  constructor(bench, told) {
    super(bench, told.id, told.heading);
    this.planeName = told.plane;
    this.plane = bench.study.planes[told.plane];
    this.which = told.which ?? "current";
    this.layers = told.layers;
    this.across = made("div", "cross across", this.picture);
    this.down = made("div", "cross down", this.picture);
    this.outline = new Outline(this);
    this.name(edgesOf(this.plane.right, this.plane.up));
    if (this.layers().mode === "curtain") this.hang();
    this.slider = made("input", "", this.element);
    Object.assign(this.slider, { type: "range", min: 0, max: this.plane.count - 1, step: 1 });
    this.slider.setAttribute("aria-label", `Slice, ${this.heading}`);
    this.slider.addEventListener("input", () => this.goTo(Number(this.slider.value)));
    this.listen();
  }

  get index() {
    const along = dot(this.bench.view.pos, this.plane.normal);
    return Math.round((along - this.plane.first) / this.plane.step);
  }

  get scale() { // mm for each CSS pixel
    return this.bench.study.field / this.bench.view.zoom / this.shorter;
  }

  get centre() { // of the picture: moved within the plane, and at the cross's slice
    const { view, study } = this.bench;
    const middle = plus(study.centre, view.pan);
    return plus(middle, this.plane.normal, dot(plus(view.pos, middle, -1), this.plane.normal));
  }

  at(event) { // the point under a pointer
    const box = this.picture.getBoundingClientRect();
    const x = event.clientX - box.left - box.width / 2;
    const y = box.top + box.height / 2 - event.clientY;
    return plus(plus(this.centre, this.plane.right, x * this.scale), this.plane.up, y * this.scale);
  }

  onScreen(point) { // where a point is, in CSS pixels of the picture
    const away = plus(point, this.centre, -1);
    return [
      this.picture.clientWidth / 2 + dot(away, this.plane.right) / this.scale,
      this.picture.clientHeight / 2 - dot(away, this.plane.up) / this.scale,
    ];
  }

  goTo(index) {
    const { view } = this.bench;
    const along = this.plane.first + clamped(index, 0, this.plane.count - 1) * this.plane.step;
    view.pos = plus(view.pos, this.plane.normal, along - dot(view.pos, this.plane.normal));
    this.bench.changed(true);
  }

  scroll(slices) { this.goTo(this.index + slices); }

  zoom(factor) {
    this.bench.view.zoom = clamped(this.bench.view.zoom * factor, 0.25, 40);
    this.bench.changed(true);
  }

  move(dx, dy) {
    const { view } = this.bench;
    view.pan = plus(plus(view.pan, this.plane.right, -dx * this.scale), this.plane.up, dy * this.scale);
    this.bench.changed(true);
  }

  shade(dx, dy) { // right: wider; up: brighter
    const { mode, base } = this.layers();
    const names = mode === "layers" ? [base] : ["fixed", "moving"];
    for (const name of names) this.bench.windows.shade(this.which, name, dx, dy);
    this.bench.changed(true);
  }

  hang() { // a curtain, with a divider to be drawn
    this.divider = made("div", "divider", this.picture);
    this.divider.tabIndex = 0;
    this.divider.setAttribute("role", "slider");
    this.divider.setAttribute("aria-label", `Divider, ${this.heading}: fixed on its left, moving on its right`);
    this.divider.setAttribute("aria-valuemin", 0);
    this.divider.setAttribute("aria-valuemax", 100);
    const draw = (split) => this.bench.change("split", clamped(split, 0, 1));
    for (const kind of ["pointerdown", "pointermove", "pointerup"]) {
      this.divider.addEventListener(kind, (event) => {
        event.stopPropagation();
        if (kind === "pointerdown") this.divider.setPointerCapture(event.pointerId);
        if (kind !== "pointermove" || !this.divider.hasPointerCapture(event.pointerId)) return;
        const box = this.picture.getBoundingClientRect();
        draw((event.clientX - box.left) / box.width);
      });
    }
    this.divider.addEventListener("keydown", (event) => {
      const { split } = this.bench.view;
      const to = {
        ArrowLeft: split - 0.02, ArrowDown: split - 0.02, ArrowRight: split + 0.02,
        ArrowUp: split + 0.02, PageUp: split + 0.1, PageDown: split - 0.1, Home: 0, End: 1,
      }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      draw(to);
    });
  }

  listen() {
    const area = this.picture;
    const { bench } = this;
    let turned = 0;
    const turn = (by, each) => {
      turned += by;
      const slices = Math.trunc(turned / each);
      turned -= slices * each;
      if (slices) this.scroll(-slices);
    };
    area.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (event.ctrlKey) this.zoom(Math.exp(-event.deltaY / 300));
      else turn(event.deltaMode ? event.deltaY * 33 : event.deltaY, 33);
    }, { passive: false });
    pointers(area, {
      start: (event) => {
        turned = 0;
        if (!event.shiftKey) bench.region.begin(this, event);
      },
      drag: (dx, dy, event) => {
        if (event.shiftKey || bench.dragMode === "pan") this.move(dx, dy);
        else if (bench.region.draws) bench.region.draw(this, event);
        else if (bench.dragMode === "scroll") turn(dy, 6);
        else this.shade(dx, -dy);
      },
      pinch: (factor, dx, dy) => { this.zoom(factor); this.move(dx, dy); },
      hover: (event) => bench.probe(this.at(event)),
      end: (event, travelled) => {
        if (travelled >= 4) return;
        bench.view.pos = this.at(event);
        this.goTo(this.index);
        bench.probe(bench.view.pos);
      },
    });
    area.addEventListener("keydown", (event) => {
      const does = {
        ArrowUp: () => this.scroll(1), ArrowDown: () => this.scroll(-1),
        PageUp: () => this.scroll(10), PageDown: () => this.scroll(-10),
        Home: () => this.goTo(0), End: () => this.goTo(this.plane.count - 1),
        "+": () => this.zoom(1.25), "-": () => this.zoom(0.8),
        c: () => bench.region.place(this, "circle"), r: () => bench.region.place(this, "rectangle"),
        "[": () => bench.region.grow(0.8), "]": () => bench.region.grow(1.25),
        Delete: () => bench.region.remove(),
      }[event.ctrlKey || event.metaKey ? "" : event.key];
      if (!does) return;
      event.preventDefault();
      does();
      bench.probe(bench.view.pos);
    });
  }

  asks() {
    const { view, study } = this.bench;
    return {
      type: "frame", plane: this.planeName, which: this.which, centre: this.centre,
      field: study.field / view.zoom, from: view.from, opacity: view.opacity, split: view.split,
      squares: view.squares, slab: view.slab, slab_kind: view.slabKind, ...this.layers(),
      windows: this.bench.windows.of(this.which),
    };
  }

  mark() { // what lies over the picture and follows at once
    const { view } = this.bench;
    const [x, y] = this.onScreen(view.pos);
    this.down.style.transform = `translateX(${x}px)`;
    this.across.style.transform = `translateY(${y}px)`;
    if (this.divider) {
      this.divider.style.transform = `translateX(${view.split * this.picture.clientWidth}px)`;
      this.divider.setAttribute("aria-valuenow", Math.round(100 * view.split));
    }
    const words = `${this.heading}, slice ${this.index + 1} of ${this.plane.count}`;
    this.write(this.caption, view.slab ? `${words}, ${view.slabKind} of ${view.slab} mm` : words);
    this.label(`${words}. Arrow keys scroll, plus and minus zoom, C and R measure at the cross.`);
    this.slider.value = this.index;
    this.outline.mark();
  }
}
