const picture = by("picture"), stage = by("stage"), mark = by("mark"), state = by("state");

/* Who watches, and when, all over the picture: a photograph of the screen says whose it is. */
function draw() {
  const width = stage.clientWidth, height = stage.clientHeight, scale = window.devicePixelRatio || 1;
  if (mark.width !== Math.round(width * scale) || mark.height !== Math.round(height * scale)) {
    mark.width = Math.round(width * scale);
    mark.height = Math.round(height * scale);
  }
  const context = mark.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  const text = `${given.who} ${new Date(Date.now() + given.ahead_ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const size = Math.max(13, Math.round(height / 28));
  context.font = `${size}px system-ui, sans-serif`;
  context.lineWidth = 3;
  context.strokeStyle = "rgba(0, 0, 0, .28)";
  context.fillStyle = "rgba(255, 255, 255, .38)";
  context.translate(width / 2, height / 2);
  context.rotate(-Math.PI / 9);
  const step = context.measureText(text).width + size * 4;
  for (let y = -height; y < height; y += size * 6) {
    for (let x = -width + (Math.round(y / size) % 2) * (step / 2); x < width; x += step) {
      context.strokeText(text, x, y);
      context.fillText(text, x, y);
    }
  }
}

picture.addEventListener("resize", () => {
  if (picture.videoWidth) {
    stage.style.aspectRatio = `${picture.videoWidth} / ${picture.videoHeight}`;
    by("room").style.setProperty("--ratio", picture.videoWidth / picture.videoHeight);
    draw();
  }
});
new ResizeObserver(draw).observe(stage);
setInterval(draw, 1000);
