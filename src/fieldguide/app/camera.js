// The browser's camera: a burst of frames under a label, or a frame after the other with the answer to each.
// Frames go to this app and nowhere else. Names are only ever set as text.
const rooms = new WeakMap();
const LONGEST_WAIT = 4000; // a lost answer must not end the live view

export default function ({ data, setTriggerValue, parentElement }) {
  if (!rooms.has(parentElement)) rooms.set(parentElement, new Room(parentElement));
  const room = rooms.get(parentElement);
  room.update(data, setTriggerValue);
  return () => room.leave(() => rooms.delete(parentElement));
}

class Room {
  constructor(parent) {
    const find = (name) => parent.querySelector(name);
    this.video = find("video");
    this.startButton = find(".start");
    this.recordButton = find(".record");
    this.status = find("[role=status]");
    this.answer = find(".answer");
    this.canvas = document.createElement("canvas");
    this.sent = 0;
    this.answered = 0;
    this.startButton.onclick = () => (this.stream ? this.stop() : this.start());
    this.recordButton.onclick = () => this.record();
  }

  update(data, send) {
    clearTimeout(this.leaving);
    this.data = data;
    this.send = send;
    this.label(this.startButton, this.stream ? data.words.stop : data.words.start);
    this.label(this.recordButton, data.words.record);
    this.recordButton.hidden = data.mode !== "record" || !this.stream;
    this.recordButton.disabled = this.busy || !data.label;
    if (data.answer && data.answer.number > this.answered) this.showAnswer(data.answer);
  }

  // Streamlit may take a component off the page and put it back at once.
  leave(done) {
    this.leaving = setTimeout(() => (this.stop(), done()), 400);
  }

  async start() {
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 } }, audio: false });
    } catch (error) {
      this.say(error.name === "NotAllowedError" ? this.data.words.denied : this.data.words.none);
      return;
    }
    this.video.srcObject = this.stream;
    await this.video.play();
    this.say("");
    this.update(this.data, this.send);
    if (this.data.mode === "live") this.live();
  }

  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.srcObject = null;
    this.answer.hidden = true;
    this.update(this.data, this.send);
  }

  frame() {
    const scale = Math.min(1, this.data.side / Math.max(this.video.videoWidth, this.video.videoHeight));
    this.canvas.width = Math.round(this.video.videoWidth * scale);
    this.canvas.height = Math.round(this.video.videoHeight * scale);
    this.canvas.getContext("2d").drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
    return this.canvas.toDataURL("image/jpeg", 0.92);
  }

  async record() {
    const { label, frames: wanted, every } = this.data;
    const frames = [];
    this.busy = true;
    this.recordButton.disabled = true;
    while (frames.length < wanted && this.stream) {
      frames.push(this.frame());
      this.say(`${frames.length} / ${wanted}`);
      await pause(every);
    }
    this.busy = false;
    this.update(this.data, this.send);
    this.say("");
    this.send("burst", { label, frames });
  }

  async live() {
    while (this.stream && this.data.mode === "live") {
      this.sent += 1;
      this.send("frame", { number: this.sent, image: this.frame() });
      const since = Date.now();
      while (this.answered < this.sent && Date.now() - since < LONGEST_WAIT) await pause(30);
      await pause(this.data.every);
    }
  }

  showAnswer({ number, label, words, share }) {
    this.answered = number;
    if (!this.stream) return;
    this.answer.hidden = false;
    this.answer.querySelector("strong").textContent = label;
    this.answer.querySelector("span").textContent = words;
    this.answer.querySelector("b").style.width = `${100 * share}%`;
  }

  label(button, text) {
    if (button.textContent !== text) button.textContent = text;
  }

  say(text) {
    this.status.textContent = text;
  }
}

function pause(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}
