Object.assign(words, {
  connecting: ["正在连接……", "Connecting…"],
  lost: ["连接中断，正在重新连接……", "The connection was lost; connecting again…"],
  again: ["稍后自动重试：", "Trying again shortly: "],
});

/* One connection with the node over which pictures come or go; begins again by itself when nothing moves any more. */
class Line {
  /* `say` is told what there is to say, as a key of `words` and a detail; `refusal` is the key for what the node will say again. */
  constructor(address, say, refusal) {
    this.address = address;
    this.say = say;
    this.refusal = refusal;
    this.connections = 0;
    this.session = "";
    this.connection = null;
    this.rest = 0;
    this.over = false;
    this.firstWithin = 12000;
    this.longest = 15000;
    this.isFinal = (status) => [400, 403, 404, 413].includes(status);
    this.seen = { progress: -1, at: performance.now() };
    this.looking = setInterval(() => this.look(), 1000);
    this.leaving = () => this.end();
    window.addEventListener("pagehide", this.leaving);
  }

  async begin() {
    const connection = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
    this.connection = connection;
    this.connections += 1;
    this.seen = { progress: -1, at: performance.now() };
    this.say(this.connections === 1 ? "connecting" : "lost");
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === "failed" && connection === this.connection) { this.again(); }
    };
    this.prepare(connection);
    try {
      await connection.setLocalDescription();
      // Without waiting for our own addresses: it is we who send first, and the node answers to where that comes from.
      const answer = await fetch(this.address, {
        method: "POST",
        headers: { "Content-Type": "application/sdp", "X-CSRF-Token": given.csrf },
        body: connection.localDescription.sdp,
      });
      const session = answer.status === 201 ? answer.headers.get("Location") : "";
      if (connection !== this.connection) { Line.ended(session); return; }
      if (!session) { await this.refused(answer); return; }
      this.session = session;
      await connection.setRemoteDescription({ type: "answer", sdp: await answer.text() });
      this.answered();
    } catch (error) {
      if (connection === this.connection) { this.again(String(error.message || error)); }
    }
  }

  async refused(answer) {
    if (answer.status === 401) { location.reload(); return; }
    let told = {};
    try { told = await answer.json(); } catch { /* no problem details: a proxy's page */ }
    const detail = told.detail || told.title || String(answer.status);
    if (this.isFinal(answer.status)) {
      this.leave();
      this.say(this.refusal, detail);
      return;
    }
    this.again(detail, Number(answer.headers.get("Retry-After")) * 1000 || 0);
  }

  /* Rests double up to the longest and are a little random, so that a thousand pages do not come back at one instant. */
  again(detail, least) {
    this.stop();
    const rest = Math.max(least || 0, this.rest) * (1 + Math.random() / 2);
    this.rest = Math.min(this.longest, Math.max(500, this.rest * 2));
    this.say(detail ? "again" : "lost", detail);
    setTimeout(() => { if (!this.connection && !this.over) { this.begin(); } }, rest);
  }

  stop() {
    const connection = this.connection;
    this.connection = null;
    if (connection) { connection.close(); }
    this.end();
  }

  /* For good. */
  leave() {
    this.over = true;
    clearInterval(this.looking);
    window.removeEventListener("pagehide", this.leaving);
    this.stop();
    this.say("");
  }

  end() {
    Line.ended(this.session);
    this.session = "";
  }

  static ended(session) {
    if (session) {
      fetch(session, { method: "DELETE", keepalive: true, headers: { "X-CSRF-Token": given.csrf } }).catch(() => {});
    }
  }

  async look() {
    const connection = this.connection;
    if (!connection) { return; }
    const progress = await this.progress(connection);
    if (connection !== this.connection) { return; }
    const now = performance.now();
    if (progress >= 0 && progress !== this.seen.progress) {
      if (this.seen.progress >= 0) { this.say(""); this.rest = 0; }
      this.seen = { progress, at: now };
    } else if (now - this.seen.at > (this.seen.progress < 0 ? this.firstWithin : 5000)) {
      this.again();
    }
  }
}
