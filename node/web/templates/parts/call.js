Object.assign(words, {
  waiting_for: ["正在等待对方画面……", "Waiting for their picture…"],
  unshown: ["对方未发送画面", "They send no picture"],
});

/* One's part in a meeting: the own picture goes out, everybody else's comes in, whatever is interrupted comes back.
   `page` says how it looks: tile(member) makes {element, video, say, gone}; changed(told) is told of each change; own(key, detail) of the own picture. */
class Call {
  constructor(meeting, page) {
    this.meeting = meeting;
    this.page = page;
    this.told = null;
    this.stream = new MediaStream();
    this.ready = false;
    this.publisher = null;
    this.others = new Map();
    this.muted = false;
    this.dark = false;
    this.rejoined = 0;
    this.over = false;
    this.listening = setInterval(() => this.listen(), 200);
  }

  /* Camera and microphone, or what there is of them; what keeps them from it is told as [key, detail], and the call goes on without. */
  async devices() {
    const wrong = [];
    for (const [kind, constraints] of [["audio", HEARD], ["video", SMALL]]) {
      if (this.stream.getTracks().some((track) => track.kind === kind && track.readyState === "live")) { continue; }
      try {
        const [track] = (await opened(kind === "video" && constraints, kind === "audio" && constraints)).getTracks();
        this.stream.getTracks().filter((old) => old.kind === kind).forEach((old) => this.stream.removeTrack(old));
        this.stream.addTrack(track);
      } catch (told) {
        wrong.push(told);
        // Who has no camera is heard all the same: a stream is watched by its picture.
        if (kind === "video" && !this.stream.getVideoTracks().length) { this.stream.addTrack(Call.nobody()); }
      }
    }
    this.ready = true;
    this.apply();
    return wrong;
  }

  static nobody() {
    const canvas = document.createElement("canvas"), drawn = canvas.getContext("2d");
    canvas.width = 320; canvas.height = 180;
    const [track] = canvas.captureStream(5).getVideoTracks();
    const drawing = setInterval(() => {
      if (track.readyState === "ended") { clearInterval(drawing); return; }
      drawn.fillStyle = "#10151b";
      drawn.fillRect(0, 0, 320, 180);
      drawn.fillStyle = "#fff";
      drawn.font = "20px system-ui, sans-serif";
      drawn.textAlign = "center";
      drawn.fillText(english ? "no camera" : "无摄像头", 160, 96);
    }, 500);
    return track;
  }

  apply() {
    this.stream.getAudioTracks().forEach((track) => { track.enabled = !this.muted; });
    this.stream.getVideoTracks().forEach((track) => { track.enabled = !this.dark; });
  }

  async join() { this.update(await api(`/api/meetings/${this.meeting}/join`, {})); }
  async act(what, body) { this.update(await api(`/api/meetings/${this.meeting}/${what}`, body || {})); }

  update(told) {
    if (told.meeting !== this.meeting || this.over) { return; }
    this.told = told;
    const sits = told.state === "open" && told.you && told.you.state === "joined";
    // Left because nothing was heard of us: we are here.
    if (told.state === "open" && this.publishes && told.you && ["absent", "unreachable"].includes(this.seat(told).code)) { this.again(); }
    this.publish(sits ? told.you.whip : "");
    const wanted = new Map(sits ? told.members
      .filter((one) => one.state === "joined" && one.stream && one.seat !== told.you.seat)
      .map((one) => [one.stream, one]) : []);
    for (const [stream, other] of this.others) {
      if (!wanted.has(stream)) { other.player.leave(); other.tile.gone(); this.others.delete(stream); }
    }
    for (const [stream, member] of wanted) {
      if (!this.others.has(stream)) { this.watch(stream, member); }
    }
    if (told.state !== "open") { this.end(); }
    this.page.changed(told, sits);
  }

  seat(told) { return told.members.find((one) => told.you && one.seat === told.you.seat) || {}; }

  async again() {
    if (performance.now() - this.rejoined < 5000) { return; }
    this.rejoined = performance.now();
    try { await this.join(); } catch (error) { this.page.own("unsent", error.message); }
  }

  publish(whip) {
    if (whip) { this.publishes = true; }
    if (this.publisher && (!whip || this.publisher.address !== whip)) { this.publisher.leave(); this.publisher = null; }
    if (!whip || this.publisher || !this.ready) { return; }
    this.publisher = new Publisher(this.stream, whip, (key, detail) => this.page.own(key, detail));
    this.publisher.begin();
  }

  watch(stream, member) {
    const tile = this.page.tile(member);
    const say = (key, detail) => tile.say(key === "waiting" ? "waiting_for" : key, detail);
    const player = new Player(tile.video, `/api/whep/${stream.split("/").map(encodeURIComponent).join("/")}`, say);
    // Somebody who has only just sat down has no picture yet, and not every node on the way knows of them: as long as they sit there they are asked for.
    player.longest = 3000;
    player.isFinal = () => false;
    this.others.set(stream, { tile, player });
    tile.video.addEventListener("loadeddata", () => tile.video.play().catch(() => this.page.silent(true)));
    player.begin();
  }

  /* Who speaks is told to their tile. */
  listen() {
    for (const { tile, player } of this.others.values()) {
      const receiver = player.connection && player.connection.getReceivers().find((one) => one.track.kind === "audio");
      const [source] = receiver ? receiver.getSynchronizationSources() : [];
      tile.element.classList.toggle("speaks", Boolean(source && source.audioLevel > 0.02));
    }
  }

  end() {
    this.over = true;
    clearInterval(this.listening);
    this.publish("");
    this.stream.getTracks().forEach((track) => track.stop());
    for (const { tile, player } of this.others.values()) { player.leave(); tile.gone(); }
    this.others.clear();
  }
}

/* A tile of somebody else. */
function tiled(room, member) {
  const element = document.createElement("figure"), video = document.createElement("video");
  const name = document.createElement("figcaption"), state = document.createElement("p");
  element.className = "tile";
  element.dataset.stream = member.stream;
  Object.assign(video, { autoplay: true, playsInline: true, disablePictureInPicture: true });
  name.textContent = `${called(member)} · ${member.node_name}`;
  state.className = "state";
  element.append(video, name, state);
  room.append(element);
  return { element, video, say: (key, detail) => { state.textContent = worded(key, detail); }, gone: () => element.remove() };
}
