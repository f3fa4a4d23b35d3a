// Which values are black and white, in the current study and in the prior one.

export class Windows { // those that a viewer chose are in the view
  constructor(bench) { this.bench = bench; }

  volumes(which) {
    const { study } = this.bench;
    const { sources, parts } = which === "prior" ? study.prior : study;
    return [...sources, ...parts];
  }

  volume(which, name) { return this.volumes(which).find((each) => each.name === name); }

  // A window is that of both studies where the unit is the same: else it says nothing of the other one.
  shared(name) {
    const [ours, theirs] = ["current", "prior"].map((which) => this.volume(which, name));
    return Boolean(ours && theirs && ours.unit && ours.unit === theirs.unit);
  }

  key(which, name) { return which === "prior" && !this.shared(name) ? `prior.${name}` : name; }

  own(which, name) {
    const from = which === "prior" && this.shared(name) ? "current" : which;
    return this.volume(from, name)?.window ?? null;
  }

  get(which, name) { return this.bench.view.windows[this.key(which, name)] ?? this.own(which, name); }

  of(which) { // for a request
    const { windows } = this.bench.view;
    if (which !== "prior") return windows;
    const found = this.volumes("prior").map(({ name }) => [name, this.get("prior", name)]);
    return Object.fromEntries(found.filter(([, window]) => window));
  }

  shade(which, name, dx, dy) { // right: wider; up: brighter
    const own = this.own(which, name);
    if (!own) return;
    const [low, high] = this.get(which, name);
    const unit = (own[1] - own[0]) / 300;
    const width = Math.max(high - low + dx * unit, unit);
    const level = (high + low) / 2 + dy * unit;
    this.bench.view.windows[this.key(which, name)] = [level - width / 2, level + width / 2];
  }

  get words() {
    const { view } = this.bench;
    const words = Object.entries(view.windows).map(([key, [low, high]]) => {
      const prior = key.startsWith("prior.");
      const volume = this.volume(prior ? "prior" : "current", key.replace(/^prior\./, ""));
      const of = `${prior ? "prior, " : ""}${volume?.heading}`;
      return volume && `${of}: ${low.toPrecision(4)} to ${high.toPrecision(4)} ${volume.unit}`;
    });
    return words.some(Boolean) ? `Window of ${words.filter(Boolean).join("; ")}` : "";
  }
}
