Object.assign(words, {
  waiting: ["正在等待画面……", "Waiting for the picture…"],
  unseen: ["不能观看：", "You cannot watch: "],
});

/* Watches a stream in a video element (WHEP). */
class Player extends Line {
  constructor(picture, address, say) {
    super(address, say, "unseen");
    this.picture = picture;
  }

  prepare(connection) {
    const stream = new MediaStream();
    connection.ontrack = (event) => {
      stream.addTrack(event.track);
      if (this.picture.srcObject !== stream) { this.picture.srcObject = stream; }
    };
    connection.addTransceiver("video", { direction: "recvonly" });
    connection.addTransceiver("audio", { direction: "recvonly" });
  }

  answered() {
    const connection = this.connection;
    this.say("waiting");
    this.picture.requestVideoFrameCallback(() => { if (this.connection === connection) { this.say(""); } });
  }

  async progress() { return this.picture.videoWidth ? this.picture.currentTime : -1; }
}
