// Sound. A loop is a decoded buffer that Web Audio repeats sample by sample: no gap, and no codec's padding (FLAC has none).

const FADE = 0.008; // seconds; a change of loop without a click
const KEPT_SECONDS = 600; // decoded audio that is kept

class Player {
  constructor() {
    this.context = null;
    this.master = null;
    this.current = null; // {clip, node, gain, element, startedAt, offset}
    this.looping = true;
    this.equal = clips.length > 1;
    this.decibels = 0;
    this.onchange = () => {};
    this.buffers = new Map();
    this.request = 0;
    const heard = clips.map((clip) => clip.lufs).filter((lufs) => lufs > -60);
    this.target = Math.max(-32, Math.min(...heard, 0));
  }

  get playing() {
    return this.current !== null;
  }

  /** Start the machine; browsers want a key or a click before they let it sound. */
  wake() {
    if (!this.context) {
      const rate = clips.find((clip) => !clip.linked)?.rate;
      try {
        this.context = new AudioContext({ latencyHint: "interactive", sampleRate: rate });
      } catch {
        this.context = new AudioContext();
      }
      this.master = this.context.createGain();
      this.master.gain.value = this.amplitude();
      this.master.connect(this.context.destination);
    }
    if (this.context.state !== "running") this.context.resume();
  }

  /** Decode a clip at its own rate, so that it has exactly its own samples. */
  async buffer(clip) {
    const known = this.buffers.get(clip.index);
    if (known) {
      this.buffers.delete(clip.index); // to the end of the queue
      this.buffers.set(clip.index, known);
      return known;
    }
    const source = players[clip.index].getAttribute("src");
    const text = atob(source.slice(source.indexOf(",") + 1));
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    let decoder;
    try {
      decoder = new OfflineAudioContext(1, 1, clip.rate);
    } catch {
      decoder = new OfflineAudioContext(1, 1, 44100); // a rate the browser does not know
    }
    const found = await decoder.decodeAudioData(bytes.buffer);
    this.buffers.set(clip.index, found);
    let seconds = [...this.buffers.values()].reduce((sum, buffer) => sum + buffer.duration, 0);
    for (const [index, buffer] of this.buffers) {
      if (seconds <= KEPT_SECONDS || index === clip.index) break;
      seconds -= buffer.duration;
      this.buffers.delete(index);
    }
    return found;
  }

  amplitude() {
    return this.decibels <= -40 ? 0 : 10 ** (this.decibels / 20);
  }

  gainOf(clip) {
    if (!this.equal || clip.lufs <= -60) return 1;
    // never so loud that a peak is cut off
    return 10 ** (Math.min(this.target - clip.lufs, -Math.min(clip.peak, 0)) / 20);
  }

  /** Play a clip; one that lasts as long as what plays now goes on where that is. */
  async play(clip, fraction = null) {
    const request = ++this.request;
    this.wake();
    const buffer = clip.linked ? null : await this.buffer(clip);
    if (request !== this.request) return; // something else was asked for meanwhile
    let part = fraction;
    if (part === null) {
      const before = this.current;
      part = before && Math.abs(before.clip.seconds / clip.seconds - 1) < 0.01 ? this.fraction() : 0;
    }
    this.silence();
    this.current = buffer ? this.startBuffer(clip, buffer, part) : this.startElement(clip, part);
    this.onchange();
  }

  startBuffer(clip, buffer, part) {
    const node = this.context.createBufferSource();
    const gain = this.context.createGain();
    node.buffer = buffer;
    node.loop = this.looping;
    node.connect(gain).connect(this.master);
    const now = this.context.currentTime;
    gain.gain.setValueAtTime(0, now);
    // a loop begins with a stroke: its attack must not be faded away
    gain.gain.linearRampToValueAtTime(this.gainOf(clip), now + (part > 0 ? FADE : 0.0005));
    const offset = part * buffer.duration;
    node.start(now, offset);
    const made = { clip, node, gain, startedAt: now, offset, buffer };
    node.onended = () => {
      if (this.current === made) this.stop();
    };
    return made;
  }

  startElement(clip, part) {
    const element = players[clip.index];
    element.loop = this.looping;
    element.volume = Math.min(1, this.gainOf(clip) * this.amplitude());
    const made = { clip, element };
    const seek = () => {
      if (part > 0 && element.duration) element.currentTime = part * element.duration;
    };
    if (element.readyState > 0) element.currentTime = part * (element.duration || 0);
    else element.addEventListener("loadedmetadata", seek, { once: true });
    element.onended = () => {
      if (this.current === made) this.stop();
    };
    element.play().catch(() => {
      if (this.current !== made) return;
      this.stop();
      announce(`${clip.label} cannot be played: is its file beside this page?`);
    });
    return made;
  }

  silence() {
    const made = this.current;
    this.current = null;
    if (!made) return;
    if (made.element) {
      made.element.pause();
      return;
    }
    const now = this.context.currentTime;
    made.gain.gain.cancelScheduledValues(now);
    made.gain.gain.setValueAtTime(made.gain.gain.value, now);
    made.gain.gain.linearRampToValueAtTime(0, now + FADE);
    made.node.stop(now + FADE + 0.002);
  }

  stop() {
    this.request++;
    this.silence();
    this.onchange();
  }

  /** Where the sound is, 0 to 1. */
  fraction() {
    const made = this.current;
    if (!made) return 0;
    if (made.element) return made.element.duration ? made.element.currentTime / made.element.duration : 0;
    const latency = this.context.outputLatency || 0;
    const played = Math.max(0, this.context.currentTime - latency - made.startedAt) + made.offset;
    return (played / made.buffer.duration) % 1;
  }

  setLooping(on) {
    const made = this.current;
    this.looping = on;
    if (made?.element) made.element.loop = on;
    else if (made) made.node.loop = on; // what sounds is played to its end, then stops
    this.onchange();
  }

  setEqual(on) {
    this.equal = on;
    this.adjust();
    this.onchange();
  }

  setDecibels(value) {
    this.decibels = value;
    this.adjust();
  }

  adjust() {
    if (this.master) this.master.gain.setTargetAtTime(this.amplitude(), this.context.currentTime, 0.01);
    const made = this.current;
    if (made?.element) made.element.volume = Math.min(1, this.gainOf(made.clip) * this.amplitude());
    else if (made) made.gain.gain.setTargetAtTime(this.gainOf(made.clip), this.context.currentTime, 0.01);
  }
}

const player = new Player();
