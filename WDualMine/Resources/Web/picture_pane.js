// What panes have in common: they ask for pictures, show them, and say so to screen readers.

import { made } from "./elements.js";

const LARGEST = 1024;
const AT_ONCE = 2; // pictures under way: while one is decoded the next is rendered

export class PicturePane {
  // bench: { study, view, send, changed, probe, dragMode, ... }
  constructor(bench, id, heading) {
    Object.assign(this, { bench, id, heading });
    this.wanted = false;
    this.number = this.shown = 0;
    this.asked = null; // what the last picture was asked for with
    this.sentAt = new Map();
    this.element = document.createElement("figure");
    this.element.className = "pane";
    this.picture = made("div", "picture", this.element);
    this.picture.tabIndex = 0;
    this.picture.setAttribute("role", "img");
    this.canvas = made("canvas", "", this.picture);
    this.caption = made("div", "caption", this.picture);
    this.edges = ["right", "left", "top", "bottom"].map((side) => made("div", `edge ${side}`, this.picture));
  }

  // What the edges are called: letters of right, left, top and bottom.
  name(letters) {
    letters.forEach((each, n) => this.write(this.edges[n], each));
  }

  // Text is only touched where it changes: each touch costs a layout of the page.
  write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  label(words) {
    if (this.words === words) return;
    this.words = words;
    this.picture.setAttribute("aria-label", words);
  }

  get shorter() { // side in CSS pixels
    return Math.min(this.picture.clientWidth, this.picture.clientHeight) || 1;
  }

  want(moving) {
    this.wanted = true;
    this.moving = moving;
    if (this.element.dataset.settled !== "false") this.element.dataset.settled = "false";
    this.mark();
    this.fly();
  }

  lost() { // the socket went
    this.asked = null;
    this.sentAt.clear();
  }

  get size() { // of a picture in pixels: fewer while it moves, if they come too slowly
    const [width, height] = [this.picture.clientWidth, this.picture.clientHeight];
    const sharp = Math.min(window.devicePixelRatio || 1, LARGEST / Math.max(width, height));
    const factor = sharp * (this.moving ? this.bench.haste.factor : 1);
    return [width, height].map((x) => Math.max(16, Math.round(x * factor)));
  }

  fly() {
    if (!this.wanted || this.sentAt.size >= AT_ONCE || !this.picture.clientWidth) return;
    const { view } = this.bench;
    const request = {
      pane: this.id, windows: view.windows, strength: view.strength, floor: view.floor, ...this.asks(),
    };
    const asked = JSON.stringify(request);
    const size = this.size;
    if (asked === this.asked && (this.moving || (this.exact && `${size}` === this.sized))) {
      this.wanted = false; // it is shown already: another pane scrolls
      this.settle();
      return;
    }
    const message = { ...request, size, number: this.number + 1, moving: this.moving };
    if (!this.bench.send(message)) return;
    this.number += 1;
    this.asked = asked;
    this.sized = `${size}`;
    this.wanted = false;
    this.exact = !this.moving;
    this.sentAt.set(this.number, performance.now());
  }

  settle() {
    this.element.dataset.settled = String(!this.wanted && !this.sentAt.size && Boolean(this.exact));
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
    this.canvas.getContext("2d", { alpha: false }).drawImage(bitmap, 0, 0);
    bitmap.close();
    this.done(number);
    return took;
  }

  done(number) { // answered, or passed over for a later one
    for (const sent of [...this.sentAt.keys()]) if (sent <= number) this.sentAt.delete(sent);
    this.settle();
    this.fly();
  }
}
