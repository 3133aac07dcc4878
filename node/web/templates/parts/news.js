Object.assign(words, {
  help: ["求助", "Help call"],
  inspection: ["视频抽查", "Inspection call"],
  meeting: ["会商", "Meeting"],
  ended: ["通话已结束。", "The call has ended."],
  closed: ["会商已由主持人结束。", "It was ended for everybody."],
  unanswered: ["无人应答。", "Nobody answered."],
  declined: ["对方未接听。", "It was declined."],
  given_up: ["呼叫已取消。", "The call was given up."],
  unreachable: ["与上级节点的连接中断，通话已结束。", "The node that held it could not be reached any more."],
  interrupted: ["节点重新启动，通话已结束。", "The node was started again, and the call ended."],
  too_long: ["会商时间过长，已自动结束。", "It went on for too long and was ended."],
  removed: ["您已被请出。", "You were asked to leave."],
  absent: ["您已离开。", "You have left."],
  answered: ["已由他人接听，或不再呼叫。", "Somebody else has answered, or it rings no more."],
});

/* An address of this node; an error has a status and the node's words. */
async function api(path, body) {
  const answer = await fetch(path, body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": given.csrf },
    body: JSON.stringify(body),
  });
  if (answer.status === 401) { location.reload(); }
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) { return told; }
  throw Object.assign(new Error(told.detail || told.title || String(answer.status)), { status: answer.status, code: told.code });
}

/* News of one's meetings; begins again by itself. `lost` is told whether they come. */
function news(tell, lost) {
  let source = null, since = 0;
  const begin = () => {
    source = new EventSource("/api/meetings/events");
    source.addEventListener("meeting", (event) => tell(JSON.parse(event.data)));
    source.onopen = () => { since = 0; document.documentElement.dataset.news = "here"; lost(false); };
    source.onerror = async () => {
      since = since || performance.now();
      // Each connection ends after some minutes, and the browser begins the next: that is no loss.
      setTimeout(() => { if (since) { lost(true); } }, 5000);
      if (source.readyState !== EventSource.CLOSED) { return; }
      await new Promise((later) => setTimeout(later, 2000 + 2000 * Math.random()));
      const me = await fetch("/api/me").catch(() => null);
      if (me && me.status === 401) { location.reload(); } else { begin(); }
    };
  };
  begin();
  window.addEventListener("pagehide", () => source.close());
}

/* Who sits somewhere, or is called there. */
const called = (member) => member.who || member.person || [member.hall, member.window].filter(Boolean).join(" ")
  || (member.officers ? (english ? "officers on duty" : "值班人员") : "");
/* Who opened it, and where they sit. */
const whose = (told) => `${told.by} · ${(told.members.find((one) => one.node === told.by_node) || {}).node_name || told.by_node}`;
/* What a meeting is called where people read it. */
const titled = (told) => told.title || worded(told.kind);

/* A ring until it is stopped; a browser that was not touched yet lets nothing sound. */
const ring = {
  context: null, timer: 0,
  start() {
    if (this.timer) { return; }
    this.context = this.context || new AudioContext();
    const beep = () => {
      [0, 0.45].forEach((after) => {
        const sound = this.context.createOscillator(), loud = this.context.createGain(), at = this.context.currentTime + after;
        sound.frequency.value = after ? 660 : 880;
        loud.gain.setValueAtTime(0, at);
        loud.gain.linearRampToValueAtTime(0.25, at + 0.03);
        loud.gain.linearRampToValueAtTime(0, at + 0.4);
        sound.connect(loud).connect(this.context.destination);
        sound.start(at);
        sound.stop(at + 0.42);
      });
    };
    beep();
    this.timer = setInterval(beep, 2000);
  },
  stop() { clearInterval(this.timer); this.timer = 0; },
  /* Whether it would be heard. */
  get sounds() { return Boolean(this.context) && this.context.state === "running"; },
  async allow() { this.context = this.context || new AudioContext(); await this.context.resume(); },
};
