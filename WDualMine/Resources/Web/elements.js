// Elements of the page, and directions in RAS.

export const $ = (id) => document.getElementById(id);

export function element(tag, text, more = {}) {
  return Object.assign(document.createElement(tag), { textContent: text, ...more });
}

export function made(tag, name, parent) {
  const child = document.createElement(tag);
  child.className = name;
  parent.append(child);
  return child;
}

export function filled(list, items, make) {
  list.replaceChildren(...items.map(make));
}

export const titled = (word) => word[0].toUpperCase() + word.slice(1);

export const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const plus = (a, b, factor = 1) => a.map((x, i) => x + factor * b[i]);
export const clamped = (x, low, high) => Math.min(Math.max(x, low), high);

const LETTERS = [["L", "R"], ["P", "A"], ["I", "S"]];

export function letter(direction) { // of the side of the patient that it leads to
  const sizes = direction.map(Math.abs);
  const axis = sizes.indexOf(Math.max(...sizes));
  return LETTERS[axis][direction[axis] > 0 ? 1 : 0];
}

export const edgesOf = (right, up) => [
  letter(right), letter(right.map((x) => -x)), letter(up), letter(up.map((x) => -x)),
];

// One pointer drags, two zoom and move; wheels zoom or turn.
// acts: start(event), drag(dx, dy, event), pinch(factor, dx, dy), end(event, travelled), hover(event)
export function pointers(area, acts) {
  const down = new Map();
  let travelled = 0;
  const spread = () => {
    const [a, b] = [...down.values()];
    return Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
  };
  area.addEventListener("pointerdown", (event) => {
    area.setPointerCapture(event.pointerId);
    down.set(event.pointerId, [event.clientX, event.clientY]);
    travelled = 0;
    acts.start?.(event);
  });
  area.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) {
      acts.hover?.(event);
      return;
    }
    const [dx, dy] = [event.clientX - before[0], event.clientY - before[1]];
    const apart = down.size === 2 ? spread() : 0;
    down.set(event.pointerId, [event.clientX, event.clientY]);
    travelled += Math.abs(dx) + Math.abs(dy);
    if (down.size === 2) acts.pinch?.(spread() / apart, dx / 2, dy / 2);
    else acts.drag(dx, dy, event);
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    area.addEventListener(kind, (event) => {
      const only = down.size === 1 && down.has(event.pointerId);
      down.delete(event.pointerId);
      if (kind === "pointerup" && only) acts.end?.(event, travelled);
    });
  }
}
