"""A clip whose picture flashes and whose sound beeps at the same instants, and how far apart a browser shows and plays the two.

What is shown is the instant at which the browser expects a picture on the screen (``requestVideoFrameCallback``); what is heard is the instant at which
the first sample of a beep leaves the sound device, by the clock of the page's audio graph.
"""

import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any, Final


def clip(path: Path, seconds: int = 240) -> Path:
    """Write a Matroska file: H.264 baseline and Opus, each second a fifth of a second white and loud."""
    subprocess.run(
        [
            "ffmpeg", "-v", "error", "-y",
            "-f", "lavfi", "-i", f"color=black:size=320x180:rate=25:duration={seconds}",
            "-f", "lavfi", "-i", f"aevalsrc='if(between(mod(t,1),0.4,0.6),0.5*sin(2000*PI*t),0)':s=48000:d={seconds}",
            "-vf", "drawbox=color=white:t=fill:enable='between(mod(t,1),0.399,0.599)'",
            "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "baseline", "-g", "25", "-pix_fmt", "yuv420p",
            "-c:a", "libopus", "-application", "lowdelay", "-b:a", "48k",
            str(path),
        ],
        check=True,
        timeout=300,
    )  # fmt: skip
    return path


MEASURED: Final = """
const picture = arguments[0];
window.lips = { shown: [], heard: [], frames: [] };
const context = new AudioContext(), analyser = context.createAnalyser();
context.resume();
analyser.fftSize = 4096;
context.createMediaStreamSource(new MediaStream(picture.srcObject.getAudioTracks())).connect(analyser);
const samples = new Float32Array(analyser.fftSize);
let loud = true, white = true;
setInterval(() => {
  analyser.getFloatTimeDomainData(samples);
  const now = context.currentTime, out = context.getOutputTimestamp();
  const first = samples.findIndex((one) => Math.abs(one) > 0.05);
  const is = first >= 0;
  // The beep began within these samples: there was silence before it.
  if (is && !loud && first > 0) {
    const at = now - (samples.length - first) / context.sampleRate;
    lips.heard.push(out.performanceTime + (at - out.contextTime) * 1000);
  }
  loud = is;
}, 10);
const small = document.createElement("canvas");
small.width = 16; small.height = 9;
const drawn = small.getContext("2d", { willReadFrequently: true });
const look = (now, told) => {
  drawn.drawImage(picture, 0, 0, 16, 9);
  const is = drawn.getImageData(8, 4, 1, 1).data[1] > 128;
  lips.frames.push(told.expectedDisplayTime);
  if (is && !white) { lips.shown.push(told.expectedDisplayTime); }
  white = is;
  picture.requestVideoFrameCallback(look);
};
picture.requestVideoFrameCallback(look);
"""
"""Begins to measure a video element, the script's argument: ``lips.shown`` and ``lips.heard`` are the instants of flashes and beeps, in the page's milliseconds."""

TOLD: Final = "return window.lips"


def apart_ms(told: dict[str, Any]) -> list[float]:
    """For each flash that a busy machine did not freeze: by how much its picture was shown after its sound was heard, in milliseconds."""
    found: list[float] = []
    for shown in told["shown"]:
        near = [at for at in told["frames"] if shown - 400 <= at <= shown + 100]
        whole = len(near) > 1 and max(later - at for at, later in pairwise(near)) < 150
        heard = min(told["heard"], key=lambda at: abs(at - shown), default=None)
        if whole and heard is not None and abs(heard - shown) < 500:
            found.append(shown - heard)
    return found


MADE: Final = """
navigator.mediaDevices.getUserMedia = async (wanted) => {
  const context = window.beeping = window.beeping || new AudioContext({ sampleRate: 48000 });
  if (wanted.audio) {
    const sound = context.createBuffer(1, 48000, 48000), samples = sound.getChannelData(0);
    for (let at = 19200; at < 28800; at += 1) { samples[at] = 0.5 * Math.sin(2 * Math.PI * 1000 * at / 48000); }
    const source = context.createBufferSource(), out = context.createMediaStreamDestination();
    source.buffer = sound; source.loop = true;
    source.connect(out);
    source.start(Math.ceil(context.currentTime + 0.1));
    return out.stream;
  }
  const canvas = document.createElement("canvas"), drawn = canvas.getContext("2d");
  canvas.width = 320; canvas.height = 180;
  setInterval(() => {
    const at = context.currentTime % 1;
    drawn.fillStyle = at >= 0.4 && at < 0.6 ? "#fff" : "#000";
    drawn.fillRect(0, 0, 320, 180);
  }, 20);
  return canvas.captureStream(25);
};
"""
"""What a browser that publishes has instead of camera and microphone: the same flashes and beeps, made in the page."""
