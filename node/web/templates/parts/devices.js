Object.assign(words, {
  insecure: [
    "浏览器只在 HTTPS 页面（或本机）允许使用摄像头和麦克风：请用 https:// 打开本页；节点的证书见 docs/identity.md。",
    "Browsers give camera and microphone to pages over HTTPS alone (or on this machine): open this page with https://; docs/identity.md tells of the node’s certificate.",
  ],
  denied: [
    "没有获得摄像头或麦克风的使用许可：点击地址栏旁的图标，允许后再点“重试”。",
    "Camera or microphone were not allowed: click the sign beside the address, allow them, then “Try again”.",
  ],
  absent: ["没有找到摄像头或麦克风：接好设备后再点“重试”。", "There is no camera or microphone: connect one, then “Try again”."],
  taken: ["摄像头或麦克风正被其他程序使用：关闭该程序后再点“重试”。", "Another program uses the camera or microphone: close it, then “Try again”."],
  unusable: ["不能使用摄像头或麦克风：", "Camera or microphone cannot be used: "],
  unplugged: ["摄像头或麦克风已断开：接好后自动继续。", "Camera or microphone was taken away: it goes on when one is connected."],
});

const WIDE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 25, max: 30 } };
const SMALL = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 20, max: 25 } };
const HEARD = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/* A track of the device chosen, or of any; an error is told as [key, detail]. */
async function opened(video, audio) {
  if (!window.isSecureContext || !navigator.mediaDevices) { throw ["insecure", ""]; }
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio });
  } catch (error) {
    const key = {
      NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "absent", OverconstrainedError: "absent", NotReadableError: "taken",
    }[error.name] || "unusable";
    throw [key, key === "unusable" ? `${error.name} ${error.message}` : ""];
  }
}

/* What can be chosen, in a select. */
async function listed(select, kind, current) {
  const found = (await navigator.mediaDevices.enumerateDevices()).filter((one) => one.kind === kind);
  select.replaceChildren(...found.map((one, number) => new Option(one.label || `${number + 1}`, one.deviceId, false, one.deviceId === current)));
  select.disabled = found.length < 2;
}

/* How loud a stream is, 0 to 1, told ten times a second. */
function loudness(stream, tell) {
  const context = new AudioContext(), analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  const samples = new Float32Array(analyser.fftSize);
  let source = null;
  const take = () => {
    if (source) { source.disconnect(); source = null; }
    if (stream.getAudioTracks().length) {
      source = context.createMediaStreamSource(new MediaStream(stream.getAudioTracks()));
      source.connect(analyser);
    }
  };
  take();
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    tell(Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length));
  }, 100);
  return { take, resume: () => context.resume(), close: () => { clearInterval(timer); context.close(); } };
}
