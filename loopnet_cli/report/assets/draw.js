// Pictures: waveforms, spectrograms, patterns. Colours say where the power lies: low, middle, high.

const INK = { kick: "low", snare: "mid", hat: "high", rest: "rest" };

/** Make a canvas as sharp as the screen and return what to draw with, in CSS pixels. */
function sharp(canvas) {
  const box = canvas.getBoundingClientRect();
  const ratio = Math.min(3, window.devicePixelRatio || 1);
  const width = Math.max(1, Math.round(box.width * ratio));
  const height = Math.max(1, Math.round(box.height * ratio));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, box.width, box.height);
  return { pen, width: box.width, height: box.height, ratio };
}

/** The colour of a place of a clip, between those of the three bands by their shares of its power. */
function tinter(clip) {
  const [low, mid, high] = ["low", "mid", "high"].map(rgb);
  const { bytes } = clip.columns;
  const columns = bytes.length / 4;
  const known = new Map();
  return (fraction) => {
    const column = Math.min(columns - 1, Math.floor(fraction * columns));
    if (!known.has(column)) {
      const shares = [bytes[4 * column + 2], 255 - bytes[4 * column + 2] - bytes[4 * column + 3], bytes[4 * column + 3]];
      // the strongest leads: even mixtures are mud
      const weights = shares.map((share) => (Math.max(0, share) / 255) ** 2);
      const [a, b, c] = weights.map((weight) => weight / (weights[0] + weights[1] + weights[2] || 1));
      const mixed = [0, 1, 2].map((i) => Math.round(a * low[i] + b * mid[i] + c * high[i]));
      known.set(column, `rgb(${mixed.join(" ")})`);
    }
    return known.get(column);
  };
}

/** The lowest and highest sample of each of so many columns: of the audio if it is decoded, else of its small picture. */
function swings(clip, buffer, count) {
  const low = new Float32Array(count);
  const high = new Float32Array(count);
  const samples = buffer ? buffer.getChannelData(0) : null;
  const known = clip.columns.low.length;
  for (let column = 0; column < count; column++) {
    if (samples) {
      const first = Math.floor((column * samples.length) / count);
      const last = Math.max(first + 1, Math.floor(((column + 1) * samples.length) / count));
      let [least, most] = [samples[first], samples[first]];
      for (let i = first; i < last; i++) {
        if (samples[i] < least) least = samples[i];
        if (samples[i] > most) most = samples[i];
      }
      [low[column], high[column]] = [least, most];
    } else {
      const at = Math.min(known - 1, Math.floor((column * known) / count));
      [low[column], high[column]] = [clip.columns.low[at] / 127, clip.columns.high[at] / 127];
    }
  }
  return { low, high };
}

function drawThumbnail(canvas, clip) {
  const { pen, width, height } = sharp(canvas);
  const count = Math.max(8, Math.floor(width / 3));
  const { low, high } = swings(clip, null, count);
  const most = Math.max(0.05, ...high, ...low.map((value) => -value));
  const tint = tinter(clip);
  for (let column = 0; column < count; column++) {
    // several of its columns are one bar here
    const tall = Math.max(high[column], -low[column]) / most;
    const half = Math.max(0.75, (height / 2 - 1) * tall ** 0.7);
    pen.fillStyle = tint((column + 0.5) / count);
    pen.fillRect((column * width) / count, height / 2 - half, Math.max(1, width / count - 1), 2 * half);
  }
}

/** Bars and beats across a picture. */
function drawBeats(pen, clip, left, width, top, height, labelled) {
  const beats = beatsOf(clip);
  if (!beats) return;
  const bar = beatsPerBar(clip);
  const unit = clip.meter ? 4 / clip.meter[1] : 1;
  const tight = (width / beats) * unit < 7;
  const barWidth = (width / beats) * bar;
  const every = Math.ceil(34 / barWidth);
  pen.fillStyle = colour("line");
  for (let beat = 0, index = 0; beat < beats - 1e-3; beat += tight ? bar : unit, index++) {
    const x = left + (beat / beats) * width;
    const strong = Math.abs(beat / bar - Math.round(beat / bar)) < 1e-6;
    if (barWidth < 3 && index % every) continue;
    pen.globalAlpha = strong ? 1 : 0.55;
    pen.fillRect(Math.round(x), strong ? top : top + 16, 1, strong ? height : height - 16);
    if (labelled && strong && Math.round(beat / bar) % every === 0) {
      pen.globalAlpha = 1;
      const kept = pen.fillStyle;
      pen.fillStyle = colour("muted");
      pen.fillText(String(Math.round(beat / bar) + 1), Math.round(x) + 5, top + 8);
      pen.fillStyle = kept;
    }
  }
  pen.globalAlpha = 1;
}

function gutter() {
  return parseFloat(getComputedStyle(byId("scope")).getPropertyValue("--gutter"));
}

function drawWave(canvas, clip, buffer) {
  const { pen, width, height, ratio } = sharp(canvas);
  const left = gutter();
  const span = width - left;
  if (span < 1) return; // not laid out, or hidden
  const top = 18;
  pen.font = `10.5px ${colour("mono")}`;
  pen.textBaseline = "middle";
  drawBeats(pen, clip, left, span, 0, height, true);
  const count = Math.floor(span * ratio);
  const { low, high } = swings(clip, buffer, count);
  const tint = tinter(clip);
  const middle = top + (height - top) / 2;
  const most = Math.max(0.25, ...[low, high].map((side) => side.reduce((a, b) => Math.max(a, Math.abs(b)), 0)));
  const scale = ((height - top) / 2 - 3) / most;
  for (let column = 0; column < count; column++) {
    const y = middle - high[column] * scale;
    pen.fillStyle = tint((column + 0.5) / count);
    pen.fillRect(left + column / ratio, y, 1 / ratio, Math.max(1 / ratio, (high[column] - low[column]) * scale));
  }
  pen.fillStyle = colour("muted");
  pen.textAlign = "right";
  const decibels = Math.max(-99, 20 * Math.log10(most));
  pen.fillText(`${shown(decibels, 1)}`, left - 8, top + 6);
  pen.fillText("dB", left - 8, top + 19);
  pen.textAlign = "left";
}

/** Colours from silence to the loudest, as 256 times RGBA. */
function scaleOfColours() {
  const stops = colour("heat").split(/\s+/).map((text) => parseInt(text.slice(1), 16));
  const table = new Uint8ClampedArray(1024);
  for (let i = 0; i < 256; i++) {
    const place = (i / 255) * (stops.length - 1);
    const at = Math.min(stops.length - 2, Math.floor(place));
    for (const [channel, shift] of [16, 8, 0].entries()) {
      const [a, b] = [(stops[at] >> shift) & 255, (stops[at + 1] >> shift) & 255];
      table[4 * i + channel] = a + (b - a) * (place - at);
    }
    table[4 * i + 3] = 255;
  }
  return table;
}

function drawSpectrum(canvas, clip, found) {
  const { pen, width, height } = sharp(canvas);
  const left = gutter();
  if (width <= left) return;
  if (found) {
    const image = new ImageData(found.columns, ROWS);
    const table = scaleOfColours();
    for (let row = 0; row < ROWS; row++) {
      for (let column = 0; column < found.columns; column++) {
        const level = 255 * (1 - found.levels[row * found.columns + column] / FLOOR_DB);
        const from = 4 * Math.round(level);
        const to = 4 * ((ROWS - 1 - row) * found.columns + column);
        for (let i = 0; i < 4; i++) image.data[to + i] = table[from + i];
      }
    }
    const small = make("canvas", { width: found.columns, height: ROWS });
    small.getContext("2d").putImageData(image, 0, 0);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(small, left, 0, width - left, height);
  } else {
    pen.fillStyle = colour("well");
    pen.fillRect(left, 0, width - left, height);
  }
  pen.font = `10.5px ${colour("mono")}`;
  pen.fillStyle = colour("muted");
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  for (const hertz of [50, 200, 1000, 5000, 15000]) {
    const y = height * (1 - Math.log(hertz / LOW_HZ) / Math.log(HIGH_HZ / LOW_HZ));
    pen.fillText(hertz < 1000 ? String(hertz) : `${hertz / 1000}k`, left - 8, Math.max(7, Math.min(height - 7, y)));
  }
  pen.textAlign = "left";
}

/** Draw voices times sixteenths, velocity as opacity; return the marks with the times they sound at. */
function drawPattern(box, clip) {
  box.replaceChildren();
  const found = clip.pattern;
  if (!found || !found.hits.length) return [];
  const turns = Math.max(1, Math.round((clip.bars || found.bars) / found.bars));
  const total = turns * found.beats;
  const voices = data.voices.filter((_, index) => found.hits.some((hit) => hit[1] === index));
  const row = 20;
  const height = voices.length * row;
  const steps = Math.round(total * 4);
  const percent = (value) => `${(100 * value) / total}%`;
  const picture = make("svg:svg", { height, "aria-hidden": "true" });
  voices.forEach(([, stem], index) => {
    const y = index * row;
    for (let step = 0; step < steps && steps <= 256; step++) {
      const strong = Math.floor(step / 4) % 2 === 0 ? "cell odd" : "cell";
      picture.append(make("svg:rect", { x: percent(step / 4), y: y + 1.5, width: percent(0.25), height: row - 3, class: strong }));
    }
    if (steps > 256) picture.append(make("svg:rect", { x: 0, y: y + 1.5, width: "100%", height: row - 3, class: "cell" }));
  });
  const marks = [];
  for (let turn = 0; turn < turns && marks.length < 4000; turn++) {
    for (const [beat, number, velocity] of found.hits) {
      const [voice, stem] = data.voices[number];
      const at = turn * found.beats + beat;
      const y = voices.findIndex((known) => known[0] === voice) * row + 1.5;
      const mark = make(
        "svg:rect",
        { x: percent(at), y, width: percent(Math.max(0.25, total / 400)), height: row - 3, rx: 2, class: `hit ${INK[stem]}`,
          "fill-opacity": (0.22 + 0.78 * velocity).toFixed(3) },
        make("svg:title", {}, `${voice.replace("_", " ")}, beat ${plain(at + 1)}, velocity ${shown(velocity)}`),
      );
      picture.append(mark);
      marks.push({ mark, from: at / total });
    }
  }
  const bar = beatsPerBar(clip);
  for (let beat = 0; beat <= total + 1e-6 && total / bar <= 128; beat += bar) {
    if (beat) picture.append(make("svg:line", { x1: percent(beat), x2: percent(beat), y1: 0, y2: height, class: "bar" }));
  }
  const names = make("ul", { class: "voices" });
  for (const [index, [voice, stem]] of voices.entries()) {
    const place = data.voices.findIndex((known) => known[0] === voice);
    const count = found.hits.filter((hit) => hit[1] === place).length;
    const name = make("li", { class: INK[stem] }, make("span", { class: "wide" }, voice.replace("_", " ")));
    name.append(make("abbr", { title: voice.replace("_", " "), "aria-hidden": "true" }, SHORT[voice]));
    name.append(make("span", { class: "hidden" }, `, ${count} hits`));
    name.style.height = `${row}px`;
    names.append(name);
  }
  box.append(names, picture);
  return marks.sort((a, b) => a.from - b.from);
}

const SHORT = {
  kick: "BD", snare: "SD", clap: "CP", rim: "RS", hat_closed: "CH", hat_open: "OH", tom: "TM", crash: "CY", ride: "RD", perc: "PC",
};
