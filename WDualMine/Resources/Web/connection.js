// The socket: it connects again when it is lost, unless the server let this viewer go.

const IDLE = 4001;

export class Connection {
  // acts: { opened(), heard(message), picture(about, blob), lost(), told(text) }
  constructor(acts) {
    this.acts = acts;
    this.failures = 0;
  }

  get isOpen() { return this.socket?.readyState === WebSocket.OPEN; }

  send(message) {
    if (!this.isOpen) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/socket`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.failures = 0;
      this.acts.opened();
    };
    this.socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.acts.heard(JSON.parse(data));
      else this.unpack(data);
    };
    this.socket.onclose = ({ code }) => this.closed(code);
  }

  unpack(data) {
    const length = new DataView(data).getUint32(0);
    const about = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    this.acts.picture(about, new Blob([new Uint8Array(data, 4 + length)]));
  }

  closed(code) {
    this.acts.lost();
    if (code === IDLE) {
      this.acts.told("Let go, because nothing was asked for. Click or press a key to go on.");
      const wake = () => {
        removeEventListener("pointerdown", wake);
        removeEventListener("keydown", wake);
        this.connect();
      };
      addEventListener("pointerdown", wake);
      addEventListener("keydown", wake);
      return;
    }
    this.failures += 1;
    this.acts.told(this.failures < 6 ? "The connection was lost. Connecting again."
      : "The server does not answer. Is it running? Open its address again.");
    setTimeout(() => this.connect(), Math.min(500 * this.failures, 5000));
  }
}
