// One pane: asks for pictures, shows them, and turns pointers and keys into movements in RAS mm.

const LARGEST = 1024;
const AT_ONCE = 2; // pictures under way: while one is decoded the next is rendered
const LETTERS = [["L", "R"], ["P", "A"], ["I", "S"]];

export const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const plus = (a, b, factor = 1) => a.map((x, i) => x + factor * b[i]);

function letter(direction) {
  const axis = direction.findIndex((x) => Math.abs(x) > 0.5);
  return LETTERS[axis][direction[axis] > 0 ? 1 : 0];
}

function made(tag, name, parent) {
  const element = document.createElement(tag);
  element.className = name;
  parent.append(element);
  return element;
}

export class Pane {
  // bench: { study, view, send, changed, probe, dragMode }
  constructor(bench, id, plane, heading, asks) {
    Object.assign(this, { bench, id, heading, asks });
    this.plane = bench.study.planes[plane];
    this.planeName = plane;
    this.wanted = false;
    this.number = this.shown = 0;
    this.asked = null; // what the last picture was asked for with
    this.sentAt = new Map();
    this.pointers = new Map();
    this.element = document.createElement("figure");
    this.element.className = "pane";
    this.picture = made("div", "picture", this.element);
    this.picture.tabIndex = 0;
    this.picture.setAttribute("role", "img");
    this.canvas = made("canvas", "", this.picture);
    this.across = made("div", "cross across", this.picture);
    this.down = made("div", "cross down", this.picture);
    this.divider = made("div", "divider", this.picture);
    this.caption = made("div", "caption", this.picture);
    const { right, up } = this.plane;
    made("div", "edge right", this.picture).textContent = letter(right);
    made("div", "edge left", this.picture).textContent = letter(right.map((x) => -x));
    made("div", "edge top", this.picture).textContent = letter(up);
    made("div", "edge bottom", this.picture).textContent = letter(up.map((x) => -x));
    this.slider = made("input", "", this.element);
    Object.assign(this.slider, { type: "range", min: 0, max: this.plane.count - 1, step: 1 });
    this.slider.setAttribute("aria-label", `Slice, ${heading}`);
    this.slider.addEventListener("input", () => this.goTo(Number(this.slider.value)));
    this.listen();
  }

  get index() {
    const along = dot(this.bench.view.pos, this.plane.normal);
    return Math.round((along - this.plane.first) / this.plane.step);
  }

  get scale() { // mm for each CSS pixel
    const shorter = Math.min(this.picture.clientWidth, this.picture.clientHeight) || 1;
    return this.bench.study.field / this.bench.view.zoom / shorter;
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

  goTo(index) {
    const { view } = this.bench;
    const last = this.plane.count - 1;
    const along = this.plane.first + Math.min(Math.max(index, 0), last) * this.plane.step;
    view.pos = plus(view.pos, this.plane.normal, along - dot(view.pos, this.plane.normal));
    this.bench.changed(true);
  }

  scroll(slices) { this.goTo(this.index + slices); }

  zoom(factor) {
    this.bench.view.zoom = Math.min(Math.max(this.bench.view.zoom * factor, 0.25), 40);
    this.bench.changed(true);
  }

  move(dx, dy) {
    const { view } = this.bench;
    view.pan = plus(plus(view.pan, this.plane.right, -dx * this.scale), this.plane.up, dy * this.scale);
    this.bench.changed(true);
  }

  shade(dx, dy) { // right: wider; up: brighter
    const { view } = this.bench;
    const asked = this.asks();
    for (const name of asked.mode === "layers" ? [asked.base] : ["fixed", "moving"]) {
      const own = this.bench.windowOf(name);
      if (!own) continue;
      const [low, high] = view.windows[name] ?? own;
      const unit = (own[1] - own[0]) / 300;
      const width = Math.max(high - low + dx * unit, unit);
      const level = (high + low) / 2 + dy * unit;
      view.windows[name] = [level - width / 2, level + width / 2];
    }
    this.bench.changed(true);
  }

  listen() {
    const area = this.picture;
    let travelled = 0;
    let turned = 0;
    area.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (event.ctrlKey) this.zoom(Math.exp(-event.deltaY / 300));
      else {
        turned += event.deltaMode ? event.deltaY * 33 : event.deltaY;
        const slices = Math.trunc(turned / 33);
        turned -= slices * 33;
        if (slices) this.scroll(-slices);
      }
    }, { passive: false });
    area.addEventListener("pointerdown", (event) => {
      area.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
      travelled = turned = 0;
    });
    area.addEventListener("pointermove", (event) => {
      const before = this.pointers.get(event.pointerId);
      if (!before) {
        this.bench.probe(this.at(event));
        return;
      }
      const [dx, dy] = [event.clientX - before[0], event.clientY - before[1]];
      const spread = () => {
        const [a, b] = [...this.pointers.values()];
        return Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
      };
      const apart = this.pointers.size === 2 ? spread() : 0;
      this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
      travelled += Math.abs(dx) + Math.abs(dy);
      if (this.pointers.size === 2) {
        this.zoom(spread() / apart);
        this.move(dx / 2, dy / 2);
      } else if (event.shiftKey || this.bench.dragMode === "pan") this.move(dx, dy);
      else if (this.bench.dragMode === "scroll") {
        turned += dy;
        const slices = Math.trunc(turned / 6);
        turned -= slices * 6;
        if (slices) this.scroll(-slices);
      } else this.shade(dx, -dy);
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      area.addEventListener(kind, (event) => {
        const only = this.pointers.size === 1 && this.pointers.has(event.pointerId);
        this.pointers.delete(event.pointerId);
        if (kind === "pointerup" && only && travelled < 4) {
          this.bench.view.pos = this.at(event);
          this.goTo(this.index);
          this.bench.probe(this.bench.view.pos);
        }
      });
    }
    area.addEventListener("keydown", (event) => {
      const does = {
        ArrowUp: () => this.scroll(1), ArrowDown: () => this.scroll(-1),
        PageUp: () => this.scroll(10), PageDown: () => this.scroll(-10),
        Home: () => this.goTo(0), End: () => this.goTo(this.plane.count - 1),
        "+": () => this.zoom(1.25), "-": () => this.zoom(0.8),
      }[event.key];
      if (!does) return;
      event.preventDefault();
      does();
      this.bench.probe(this.bench.view.pos);
    });
  }

  want(moving) {
    this.wanted = true;
    this.moving = moving;
    this.mark();
    this.fly();
  }

  lost() { // the socket went
    this.asked = null;
    this.sentAt.clear();
  }

  fly() {
    if (!this.wanted || this.sentAt.size >= AT_ONCE || !this.picture.clientWidth) return;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [this.picture.clientWidth, this.picture.clientHeight];
    const factor = Math.min(ratio, LARGEST / Math.max(width, height));
    const size = [width, height].map((x) => Math.max(16, Math.round(x * factor)));
    const { view, study } = this.bench;
    const request = {
      type: "frame", pane: this.id, plane: this.planeName, size,
      centre: this.centre, field: study.field / view.zoom, windows: view.windows,
      strength: view.strength, floor: view.floor, from: view.from, opacity: view.opacity,
      split: view.split, squares: view.squares, ...this.asks(),
    };
    const asked = JSON.stringify(request);
    if (asked === this.asked && (this.exact || this.moving)) { // shown: another pane scrolls
      this.wanted = false;
      this.settle();
      return;
    }
    if (!this.bench.send({ ...request, number: this.number + 1, moving: this.moving })) return;
    this.number += 1;
    this.asked = asked;
    this.wanted = false;
    this.exact = !this.moving;
    this.sentAt.set(this.number, performance.now());
  }

  settle() {
    this.element.dataset.settled = String(!this.wanted && !this.sentAt.size && this.exact);
  }

  async show(number, blob) {
    const bitmap = await createImageBitmap(blob);
    const took = performance.now() - this.sentAt.get(number);
    if (number < this.shown) return took; // a later one was decoded sooner
    this.shown = number;
    if (this.canvas.width !== bitmap.width || this.canvas.height !== bitmap.height) {
      this.canvas.width = bitmap.width;
      this.canvas.height = bitmap.height;
    }
    this.canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    this.done(number);
    return took;
  }

  done(number) { // answered, or passed over for a later one
    for (const sent of [...this.sentAt.keys()]) if (sent <= number) this.sentAt.delete(sent);
    this.settle();
    this.fly();
  }

  mark() { // what lies over the picture and follows at once
    this.element.dataset.settled = "false";
    const { view } = this.bench;
    const away = plus(view.pos, this.centre, -1);
    const { clientWidth: width, clientHeight: height } = this.picture;
    this.down.style.left = `${width / 2 + dot(away, this.plane.right) / this.scale}px`;
    this.across.style.top = `${height / 2 - dot(away, this.plane.up) / this.scale}px`;
    this.divider.hidden = this.asks().mode !== "curtain";
    this.divider.style.left = `${view.split * width}px`;
    const words = `${this.heading}, slice ${this.index + 1} of ${this.plane.count}`;
    this.caption.textContent = words;
    this.picture.setAttribute("aria-label", `${words}. Arrow keys scroll, plus and minus zoom.`);
    this.slider.value = this.index;
  }
}
