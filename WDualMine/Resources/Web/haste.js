// How sharp pictures are while something moves: as sharp as they come fast enough.

const SLOW = 90; // ms from asking to showing
const FAST = 50;
const COARSEST = 0.4;

export class Haste {
  constructor() {
    this.factor = 1; // of the pixels along a side
    this.usual = 0;
  }

  note(took) {
    this.usual = this.usual ? 0.8 * this.usual + 0.2 * took : took;
    if (this.usual > SLOW) this.factor = Math.max(COARSEST, 0.92 * this.factor);
    else if (this.usual < FAST) this.factor = Math.min(1, 1.03 * this.factor);
  }
}
