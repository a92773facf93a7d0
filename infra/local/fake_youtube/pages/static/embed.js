// The embedded player's side of YouTube's postMessage protocol. Messages are JSON strings.
// It receives {"event":"listening"} and {"event":"command","func":NAME,"args":[…]}.
// It sends initialDelivery, onReady, infoDelivery and onError, and onStateChange to a page that asked for it.
"use strict";

const video = JSON.parse(document.getElementById("video").textContent);
const query = new URLSearchParams(location.search);
const [UNSTARTED, ENDED, PLAYING, PAUSED, CUED] = [-1, 0, 1, 2, 5];
const TICK_MS = 250;

let state = UNSTARTED;
let position = Math.max(0, Number(query.get("start")) || 0);
let since = 0; // performance.now() when `position` was set, while the video plays
let rate = 1;
let muted = false;
let listener = null; // {window, origin, id, channel}
const subscribed = new Set();

function now() {
  const moved = state === PLAYING ? ((performance.now() - since) / 1000) * rate : 0;
  return Math.min(video.duration, position + moved);
}

function post(event, info) {
  if (listener === null) return;
  const message = { event, info, channel: listener.channel, id: listener.id };
  listener.window.postMessage(JSON.stringify(message), listener.origin);
}

function info() {
  return {
    currentTime: now(),
    currentTimeLastUpdated_: Date.now() / 1000,
    duration: video.duration,
    playerState: state,
    playbackRate: rate,
    muted,
    videoUrl: `${location.origin}/watch?v=${video.id}`,
    videoData: { video_id: video.id, title: video.title, author: "" },
  };
}

function draw() {
  const at = now();
  const seconds = Math.floor(at);
  const two = (value) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const clock = hours ? `${hours}:${two(minutes)}` : String(minutes);
  document.getElementById("clock").value = `${clock}:${two(seconds % 60)}`;
  document.getElementById("bar").value = video.duration ? at / video.duration : 0;
  document.getElementById("toggle").textContent = state === PLAYING ? "Pause" : "Play";
  document.getElementById("player").dataset.state = String(state);
  if (!video.playable) return;
  let line = null;
  for (const each of video.lines) {
    if (each[0] > at + 0.001) break;
    line = each;
  }
  const spoken = line !== null && at < line[0] + line[1] + 1 ? line[2] : "";
  document.getElementById("caption").textContent = spoken;
}

function changeState(next) {
  position = now();
  since = performance.now();
  const changed = next !== state;
  state = next;
  draw();
  post("infoDelivery", info());
  if (changed && subscribed.has("onStateChange")) post("onStateChange", state);
}

const commands = {
  playVideo() {
    if (!video.playable) return;
    if (state === ENDED) position = 0;
    changeState(PLAYING);
  },
  pauseVideo() {
    if (state === PLAYING) changeState(PAUSED);
  },
  stopVideo() {
    position = 0;
    changeState(CUED);
  },
  seekTo(seconds) {
    if (!video.playable || !Number.isFinite(Number(seconds))) return;
    const next = state === PAUSED ? PAUSED : PLAYING;
    position = Math.min(video.duration, Math.max(0, Number(seconds)));
    since = performance.now();
    changeState(next);
  },
  setPlaybackRate(value) {
    changeState(state);
    rate = Number(value) || 1;
    changeState(state);
  },
  mute() {
    muted = true;
    changeState(state);
  },
  unMute() {
    muted = false;
    changeState(state);
  },
  addEventListener(name) {
    subscribed.add(name);
  },
  removeEventListener(name) {
    subscribed.delete(name);
  },
};

window.addEventListener("message", (event) => {
  const expected = query.get("origin");
  if (query.get("enablejsapi") !== "1" || typeof event.data !== "string") return;
  if (expected !== null && event.origin !== expected) return;
  let message;
  try {
    message = JSON.parse(event.data);
  } catch {
    return; // Other scripts send messages to the same window.
  }
  if (message === null || typeof message !== "object") return;
  if (message.event === "listening") {
    listener = {
      window: event.source,
      origin: event.origin === "null" ? "*" : event.origin,
      id: message.id ?? 1,
      channel: message.channel ?? "widget",
    };
    post("initialDelivery", info());
    post("onReady", null);
    post("infoDelivery", info());
    if (!video.playable) post("onError", 150);
  } else if (message.event === "command" && Object.hasOwn(commands, message.func)) {
    commands[message.func](...(Array.isArray(message.args) ? message.args : []));
  }
});

document.getElementById("toggle").addEventListener("click", () => {
  if (state === PLAYING) commands.pauseVideo();
  else commands.playVideo();
});

setInterval(() => {
  if (state !== PLAYING) return;
  if (now() >= video.duration) changeState(ENDED);
  else {
    draw();
    post("infoDelivery", info());
  }
}, TICK_MS);

draw();
if (query.get("autoplay") === "1") commands.playVideo();
