// Which panes a layout has, and which controls belong to it.

import { $, titled } from "./elements.js";
import { SlicePane } from "./panes.js";
import { VolumePane } from "./volume_pane.js";

const PLANES = ["axial", "coronal", "sagittal"];
const LAYERED = ["planes", "four", "side", "prior"];
const ONE_PLANE = ["side", "prior"];
const COMPARED = ["checkerboard", "curtain"];

export const isLayered = (layout) => LAYERED.includes(layout);

export function possible(layout, study) { // with what there is of a study
  if (layout === "prior") return Boolean(study.prior);
  return study.sources.length === 2 || layout === "planes" || layout === "four";
}

export function panesOf(bench) {
  const { view, study } = bench;
  const slice = (id, plane, heading, layers, which) => new SlicePane(bench, { id, plane, heading, layers, which });
  if (view.layout === "side") {
    return ["fixed", "moving", "fused"].map((base) => slice(base, view.plane, `${titled(base)}, ${view.plane}`,
      () => ({ mode: "layers", base, over: base === "fused" ? view.over : "" })));
  }
  if (view.layout === "prior") {
    return ["current", "prior"].map((which) => slice(which, view.plane, `${titled(which)}, ${view.plane}`, () => {
      const has = (name) => bench.windows.volume(which, name);
      return { mode: "layers", base: has(view.base) ? view.base : "fused", over: has(view.over) ? view.over : "" };
    }, which));
  }
  const layers = COMPARED.includes(view.layout)
    ? () => ({ mode: view.layout, base: "fixed", over: "" })
    : () => ({ mode: "layers", base: view.base, over: view.over });
  const planes = PLANES.map((plane) => slice(plane, plane, titled(plane), layers));
  return view.layout === "four" ? [...planes, new VolumePane(bench, { id: "volume", heading: "3-D" })] : planes;
}

export function showControls({ view, study }) {
  const belongs = {
    layers: isLayered(view.layout),
    "one-plane": ONE_PLANE.includes(view.layout),
    base: isLayered(view.layout) && view.layout !== "side",
    curtain: view.layout === "curtain",
    checkerboard: view.layout === "checkerboard",
    four: view.layout === "four",
    prior: view.layout === "prior",
    slab: view.slab > 0,
  };
  for (const [name, shown] of Object.entries(belongs)) {
    document.querySelectorAll(`.only-${name}`).forEach((each) => { each.hidden = !shown; });
  }
  const map = study.parts.find((part) => part.name === view.over);
  const layered = isLayered(view.layout);
  document.querySelectorAll(".needs-over").forEach((e) => { e.hidden = !layered || !view.over; });
  document.querySelectorAll(".needs-threshold").forEach((e) => { e.hidden = !layered || map?.from == null; });
  document.querySelectorAll(".needs-surface").forEach((e) => { e.hidden = view.layout !== "four" || view.style !== "surface"; });
  $("prior-warning").hidden = view.layout !== "prior" || !study.prior?.warning;
}
