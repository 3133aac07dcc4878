Object.assign(words, {
  unheld: ["不能操控云台：", "The camera cannot be turned: "],
});

/* Turns a camera: it moves as long as a button or key is held, and at most `LASTS` after the last word from here. */
class Steering {
  static LASTS = 1.5;
  static AGAIN = 700;

  constructor(address, box, say) {
    this.address = address;
    this.box = box;
    this.say = say;
    this.held = null;
    this.sent = Promise.resolve();
  }

  /* Shows itself where whoever looks may turn the camera; otherwise nobody misses it. */
  async begin() {
    const answer = await fetch(`${this.address}/presets`).catch(() => null);
    if (!answer || answer.status !== 200) { return; }
    const presets = (await answer.json()).presets;
    const select = this.box.querySelector("select");
    for (const name of presets) { select.append(new Option(name, name)); }
    select.hidden = !presets.length;
    select.addEventListener("change", () => {
      if (select.value) { this.send({ preset: select.value }); }
      select.selectedIndex = 0;
    });
    for (const button of this.box.querySelectorAll("[data-pan]")) { this.press(button); }
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("keyup", (event) => { if (this.held && this.held.key === event.key) { this.release(); } });
    for (const name of ["blur", "pagehide"]) { window.addEventListener(name, () => this.release()); }
    document.addEventListener("visibilitychange", () => { if (document.hidden) { this.release(); } });
    this.box.hidden = false;
  }

  press(button) {
    const speed = { pan: Number(button.dataset.pan), tilt: Number(button.dataset.tilt), zoom: Number(button.dataset.zoom) };
    button.addEventListener("pointerdown", (event) => {
      if (event.button) { return; }
      event.preventDefault();
      button.focus();
      try { button.setPointerCapture(event.pointerId); } catch { /* gone already */ }
      this.hold(speed);
    });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) { button.addEventListener(name, () => this.release()); }
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    button.addEventListener("keydown", (event) => {
      if ((event.key === " " || event.key === "Enter") && !event.repeat) { event.preventDefault(); this.hold(speed, event.key); }
    });
  }

  key(event) {
    const other = event.target.closest && event.target.closest("input, select, textarea");
    const speed = {
      ArrowLeft: [-0.5, 0, 0], ArrowRight: [0.5, 0, 0], ArrowUp: [0, 0.5, 0], ArrowDown: [0, -0.5, 0], "+": [0, 0, 0.5], "-": [0, 0, -0.5],
    }[event.key];
    if (!speed || other || event.ctrlKey || event.altKey || event.metaKey) { return; }
    event.preventDefault();
    if (!event.repeat && !this.held) { this.hold({ pan: speed[0], tilt: speed[1], zoom: speed[2] }, event.key); }
  }

  hold(speed, key) {
    this.release();
    const held = this.held = { key, timer: 0, waits: false };
    const move = () => {
      if (held.waits) { return; }
      held.waits = true;
      this.send({ ...speed, seconds: Steering.LASTS }, () => this.held === held).then((obeyed) => {
        held.waits = false;
        if (!obeyed && this.held === held) { clearInterval(held.timer); this.held = null; }
      });
    };
    held.timer = setInterval(move, Steering.AGAIN);
    move();
  }

  release() {
    if (!this.held) { return; }
    clearInterval(this.held.timer);
    this.held = null;
    this.send({ stop: true });
  }

  /* One after the other, so that no stop overtakes the movement that it ends; what is not wanted any more by then is left out. */
  send(command, wanted) {
    this.sent = this.sent.then(async () => {
      if (wanted && !wanted()) { return true; }
      try {
        const answer = await fetch(`${this.address}/steer`, {
          method: "POST",
          keepalive: true,
          headers: { "Content-Type": "application/json", "X-CSRF-Token": given.csrf },
          body: JSON.stringify(command),
        });
        if (answer.ok) { this.say("", ""); return true; }
        const told = await answer.json().catch(() => ({}));
        const title = english ? "" : told.title || "";
        this.say("unheld", [title, told.detail || String(answer.status)].filter(Boolean).join("："));
      } catch (error) {
        this.say("unheld", String(error.message || error));
      }
      return false;
    });
    return this.sent;
  }
}
