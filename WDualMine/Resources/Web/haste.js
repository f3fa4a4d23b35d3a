// How sharp pictures are while something moves: as sharp as they come fast enough.

const SLOW = 85; // ms from asking to showing
const FAST = 40;
const PATIENCE = 12; // pictures between two changes
// Few and apart: the server keeps what it resliced as long as pictures stay of one size.
const FACTORS = [1, 0.75, 0.55, 0.4];

export class Haste {
  constructor() {
    this.step = this.seen = this.usual = 0;
  }

  get factor() { return FACTORS[this.step]; } // of the pixels along a side

  note(took) {
    this.usual = this.seen ? 0.85 * this.usual + 0.15 * took : took;
    this.seen += 1;
    if (this.seen < PATIENCE) return;
    const by = this.usual > SLOW ? 1 : this.usual < FAST ? -1 : 0;
    const step = Math.min(Math.max(this.step + by, 0), FACTORS.length - 1);
    if (step !== this.step) this.seen = 0;
    this.step = step;
  }
}
