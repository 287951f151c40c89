// Spectra: a plain radix-2 transform, and levels on a grid of time and log frequency.

const LOW_HZ = 30;
const HIGH_HZ = 20000;
const FLOOR_DB = -74;
const ROWS = 144;
const SPECTRA = 560; // columns

class Fourier {
  /** `span` samples are looked at, and `size` of them transformed: the others are zeros, for a finer grid. */
  constructor(span, size = span) {
    this.span = span;
    this.size = size;
    this.cosine = new Float32Array(size / 2);
    this.sine = new Float32Array(size / 2);
    this.window = new Float32Array(span);
    this.order = new Uint32Array(size);
    this.real = new Float32Array(size);
    this.imaginary = new Float32Array(size);
    this.power = new Float32Array(size / 2 + 1);
    const bits = Math.log2(size);
    for (let i = 0; i < size; i++) {
      if (i < size / 2) {
        this.cosine[i] = Math.cos((2 * Math.PI * i) / size);
        this.sine[i] = -Math.sin((2 * Math.PI * i) / size);
      }
      if (i < span) this.window[i] = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / span);
      let reversed = 0;
      for (let bit = 0; bit < bits; bit++) if (i & (1 << bit)) reversed |= 1 << (bits - 1 - bit);
      this.order[i] = reversed;
    }
  }

  /** Powers of the window round a sample; a loop has no ends. A sine of full scale has power 1. */
  around(samples, centre) {
    const { span, size, real, imaginary, cosine, sine, power } = this;
    const length = samples.length;
    let at = (((centre - span / 2) % length) + length) % length;
    real.fill(0);
    for (let i = 0; i < span; i++) {
      real[this.order[i]] = samples[at] * this.window[i];
      if (++at === length) at = 0;
    }
    imaginary.fill(0);
    for (let half = 1; half < size; half *= 2) {
      const step = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let i = start, turn = 0; i < start + half; i++, turn += step) {
          const j = i + half;
          const re = real[j] * cosine[turn] - imaginary[j] * sine[turn];
          const im = real[j] * sine[turn] + imaginary[j] * cosine[turn];
          real[j] = real[i] - re;
          imaginary[j] = imaginary[i] - im;
          real[i] += re;
          imaginary[i] += im;
        }
      }
    }
    const scale = (4 / span) ** 2;
    for (let i = 0; i <= size / 2; i++) power[i] = (real[i] ** 2 + imaginary[i] ** 2) * scale;
    return power;
  }
}

function hertzOf(row) {
  return LOW_HZ * (HIGH_HZ / LOW_HZ) ** (row / (ROWS - 1));
}

/** Where a row lies among the bins, and how much of it the short window gives: pitch below, strokes above. */
function rowsOf(rate, long, short) {
  return Array.from({ length: ROWS }, (_, row) => {
    const hertz = hertzOf(row);
    const edge = Math.sqrt(hertzOf(1) / hertzOf(0));
    const span = (size) => {
      const low = ((hertz / edge) * size) / rate;
      const high = (hertz * edge * size) / rate;
      return hertz > rate / 2 ? null : { at: (hertz * size) / rate, first: Math.ceil(low), last: Math.floor(high) };
    };
    return { long: span(long.size), short: span(short.size), share: Math.min(1, Math.max(0, Math.log2(hertz / 250) / 2)) };
  });
}

function valueAt(power, span) {
  if (!span) return 0;
  if (span.last > span.first) {
    // many bins in a row: the strongest, so that a line does not fade where rows are wide
    let most = 0;
    for (let i = span.first; i <= Math.min(span.last, power.length - 1); i++) most = Math.max(most, power[i]);
    return most;
  }
  const low = Math.min(Math.floor(span.at), power.length - 2);
  const share = span.at - low;
  return (1 - share) * power[low] + share * power[low + 1];
}

const nextTurn = () => new Promise((resolve) => setTimeout(resolve));

/** Levels of a buffer, dB below the loudest point, as {columns, levels} with low rows first; null if `stale` says so. */
async function spectrogram(buffer, stale) {
  const rate = buffer.sampleRate;
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, i) => buffer.getChannelData(i));
  let samples = channels[0];
  if (channels.length > 1) samples = samples.map((_, i) => channels.reduce((sum, c) => sum + c[i], 0) / channels.length);
  const sizeFor = (seconds) => 2 ** Math.ceil(Math.log2(seconds * rate));
  const long = new Fourier(sizeFor(0.04), 2 * sizeFor(0.04));
  const short = new Fourier(sizeFor(0.012));
  const rows = rowsOf(rate, long, short);
  const columns = Math.max(64, Math.min(SPECTRA, Math.floor(samples.length / 128)));
  const levels = new Float32Array(ROWS * columns);
  let loudest = -200;
  let paused = performance.now();
  for (let column = 0; column < columns; column++) {
    const centre = Math.floor(((column + 0.5) * samples.length) / columns);
    const slow = long.around(samples, centre);
    const fast = short.around(samples, centre);
    for (let row = 0; row < ROWS; row++) {
      const { share, long: a, short: b } = rows[row];
      let level = 0;
      if (share < 1) level += (1 - share) * 10 * Math.log10(valueAt(slow, a) + 1e-14);
      if (share > 0) level += share * 10 * Math.log10(valueAt(fast, b) + 1e-14);
      levels[row * columns + column] = level;
      if (level > loudest) loudest = level;
    }
    if (performance.now() - paused > 12) {
      await nextTurn(); // keys and clicks come first
      if (stale()) return null;
      paused = performance.now();
    }
  }
  for (let i = 0; i < levels.length; i++) levels[i] = Math.max(FLOOR_DB, levels[i] - loudest);
  return { columns, levels };
}
