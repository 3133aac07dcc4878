Object.assign(words, {
  unsent: ["不能发布：", "You cannot publish: "],
});

/* Publishes the tracks of a MediaStream (WHIP). */
class Publisher extends Line {
  constructor(stream, address, say) {
    super(address, say, "unsent");
    this.stream = stream;
    this.rate = 0;
    this.counted = { bytes: 0, at: 0 };
  }

  prepare(connection) {
    this.counted = { bytes: 0, at: 0 };
    for (const track of this.stream.getTracks()) {
      connection.addTransceiver(track, { direction: "sendonly", streams: [this.stream] });
    }
  }

  answered() {}

  /* Another camera or microphone, without beginning again. */
  async replace(track) {
    for (const old of this.stream.getTracks()) {
      if (old.kind === track.kind) { this.stream.removeTrack(old); }
    }
    this.stream.addTrack(track);
    for (const { sender } of this.connection ? this.connection.getTransceivers() : []) {
      if (sender.track && sender.track.kind === track.kind) { await sender.replaceTrack(track); }
    }
  }

  /* When the node last reported what it got of ours: a node that reports nothing gets nothing. */
  async progress(connection) {
    let last = -1, bytes = 0;
    for (const told of (await connection.getStats()).values()) {
      if (told.type === "remote-inbound-rtp") { last = Math.max(last, told.timestamp); }
      if (told.type === "outbound-rtp") { bytes += told.bytesSent; }
    }
    const now = performance.now();
    if (this.counted.at) { this.rate = Math.max(0, ((bytes - this.counted.bytes) * 8) / (now - this.counted.at)); }
    this.counted = { bytes, at: now };
    return last;
  }
}
