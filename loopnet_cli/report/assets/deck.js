// The loop that is chosen: its pictures, knobs, settings, and what it is compared with.

const spectra = new Map(); // clip index -> levels
const KEPT_SPECTRA = 24;

class Deck {
  constructor() {
    this.item = null;
    this.source = 0; // 0 the result, 1 and 2 what it was made from
    this.marks = [];
    this.buffer = null;
    this.request = 0;
  }

  /** The clips that can be heard: the result first. */
  get choices() {
    const { item } = this;
    if (!item || item.clip === null) return [];
    return [item.clip, ...item.inputs].map((index) => clips[index]);
  }

  get clip() {
    return this.choices[this.source] ?? null;
  }

  show(item, source = 0) {
    const changed = item !== this.item;
    this.item = item;
    this.source = Math.min(source, Math.max(0, this.choices.length - 1));
    if (changed) {
      byId("name").textContent = item.name;
      byId("failure").hidden = !item.error;
      byId("failure").textContent = item.error ? `Not made: ${item.error}` : "";
      this.fillSources();
      fillKnobs(byId("knobs"), item.knobs);
      fillSettings(byId("settings"), item);
    }
    for (const [index, button] of [...byId("sources").children].entries()) {
      button.setAttribute("aria-pressed", String(index === this.source));
    }
    const { clip } = this;
    byId("scope").hidden = clip === null;
    byId("facts").replaceChildren(...(clip ? factsOf(clip) : []));
    byId("downloads").replaceChildren(...(clip ? downloadsOf(clip) : []));
    byId("legend").hidden = !clip;
    if (clip) {
      this.marks = drawPattern(byId("pattern"), clip);
      this.buffer = null;
      byId("spectrum").classList.toggle("absent", clip.linked);
      this.draw();
      this.look();
    }
  }

  fillSources() {
    const letters = ["R", "A", "B"];
    byId("sources").hidden = this.choices.length < 2;
    byId("sources").replaceChildren(
      ...this.choices.map((clip, index) =>
        make(
          "button",
          { type: "button", title: clip.label, "data-source": index, onclick: () => chooseSource(index) },
          make("kbd", { "aria-hidden": "true" }, letters[index] ?? String(index)),
          make("span", {}, index === 0 ? "result" : clip.role || clip.label),
          index && clip.role ? make("small", {}, clip.label) : null,
        ),
      ),
    );
  }

  draw() {
    const { clip } = this;
    if (!clip) return;
    drawWave(byId("wave"), clip, this.buffer);
    drawSpectrum(byId("spectrum"), clip, spectra.get(clip.index) ?? null);
  }

  /** Decode the clip and analyse it, then draw again. */
  async look() {
    const { clip } = this;
    const request = ++this.request;
    if (clip.linked) return; // a page may not read files beside it
    const stale = () => request !== this.request;
    try {
      const buffer = await player.buffer(clip);
      if (stale()) return;
      this.buffer = buffer;
      this.draw();
      if (!spectra.has(clip.index)) {
        const found = await spectrogram(buffer, stale);
        if (!found) return;
        spectra.set(clip.index, found);
        if (spectra.size > KEPT_SPECTRA) spectra.delete(spectra.keys().next().value);
        if (!stale()) this.draw();
      }
    } catch (problem) {
      if (!stale()) announce(`${clip.label} cannot be decoded by this browser (${problem.name})`);
    }
  }

  /** Follow the sound: the line across the pictures, and the strokes that sound just now. */
  follow(fraction, running) {
    const line = byId("playhead");
    line.hidden = !running;
    const scope = byId("scope");
    const left = gutter();
    line.style.transform = `translateX(${left + fraction * (scope.clientWidth - left)}px)`;
    byId("progress").style.transform = `scaleX(${running ? fraction : 0})`;
    scope.setAttribute("aria-valuenow", String(Math.round(fraction * 100)));
    const span = this.clip ? 0.09 / this.clip.seconds : 0;
    for (const { mark, from } of this.marks) {
      const age = (fraction - from + 1) % 1;
      mark.classList.toggle("on", running && age < span);
    }
  }
}

function factsOf(clip) {
  const facts = [];
  if (clip.tempo) facts.push(`${plain(Math.round(clip.tempo * 100) / 100)} BPM`);
  if (clip.meter) facts.push(`${clip.meter[0]}/${clip.meter[1]}`);
  if (clip.bars) facts.push(clip.bars === 1 ? "1 bar" : `${clip.bars} bars`);
  facts.push(`${shown(clip.seconds, 3)} s`, `${plain(clip.rate / 1000)} kHz`);
  if (clip.lufs > -100) facts.push(`${shown(clip.lufs, 1)} LUFS`, `${shown(clip.peak, 1)} dBTP`);
  if (clip.cut) facts.push("cut here to 2 minutes");
  return facts.map((fact) => make("span", {}, fact));
}

function downloadsOf(clip) {
  const links = [];
  const name = clip.file ? clip.file.name : `${clip.label}.flac`;
  if (clip.file) {
    const title = "The file itself, where it lies beside this page";
    links.push(make("a", { href: clip.file.href, download: clip.file.name, class: "link", title }, icon("save"), clip.file.name));
  }
  if (!clip.linked) {
    const base = `${name.replace(/\.(wav|flac)$/i, "")}.flac`;
    const save = () => {
      const source = players[clip.index].getAttribute("src");
      const text = atob(source.slice(source.indexOf(",") + 1));
      const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
      const address = URL.createObjectURL(new Blob([bytes], { type: source.slice(5, source.indexOf(";")) }));
      make("a", { href: address, download: base }).click();
      setTimeout(() => URL.revokeObjectURL(address), 10000);
    };
    links.push(make("button", { type: "button", class: "link", onclick: save, title: "From this page: FLAC, 16 bit" }, icon("save"), "FLAC, 16 bit"));
  }
  return links;
}

/** Knobs asked against measured: a row for each attribute, a column for each band. */
function fillKnobs(box, knobs) {
  box.replaceChildren();
  byId("legend").replaceChildren();
  if (!knobs) return;
  const rows = new Map(knobs.map((row) => [row[0], row]));
  const head = make("tr", {}, make("td"), ...data.bands.map((band) => make("th", { scope: "col", class: band }, band)));
  const body = make("tbody");
  for (const attribute of data.attributes) {
    const line = make("tr", {}, make("th", { scope: "row" }, attribute));
    for (const band of data.bands) line.append(knobCell(band, rows.get(`${band}.${attribute}`)));
    body.append(line);
  }
  const caption = make("caption", { class: "hidden" }, "Knobs asked for and measured, 0 to 1");
  box.append(make("table", {}, caption, make("thead", {}, head), body));
  const parts = [];
  if (knobs.some((row) => row[3])) parts.push(make("span", { class: "key given" }, "asked by you"));
  if (knobs.some((row) => row[1] !== null)) parts.push(make("span", { class: "key" }, "the kit’s own"));
  if (knobs.some((row) => row[2] !== null)) parts.push(make("span", { class: "key fill" }, "measured in the loop"));
  const set = knobs.filter((row) => row[3] && row[1] !== null && row[2] !== null);
  if (set.length) {
    const mean = set.reduce((sum, row) => sum + Math.abs(row[1] - row[2]), 0) / set.length;
    parts.push(make("span", { class: "sum" }, `${set.length} set, ${shown(mean)} off on average`));
  }
  byId("legend").replaceChildren(...parts);
}

function knobCell(band, [, asked, measured, given]) {
  const place = (value) => (Math.min(1.1, Math.max(-0.05, value)) + 0.05) / 0.0115; // percent of the track
  const track = make("div", { class: "track", "aria-hidden": "true" });
  if (measured !== null) {
    const fill = make("i", { class: "fill" });
    fill.style.left = `${Math.min(place(0), place(measured))}%`;
    fill.style.right = `${100 - Math.max(place(0), place(measured))}%`;
    track.append(fill);
  }
  if (asked !== null) {
    const mark = make("i", { class: given ? "asked given" : "asked" });
    mark.style.left = `${place(asked)}%`;
    track.append(mark);
  }
  const numbers = make("div", { class: "numbers" });
  numbers.append(make("span", { class: "hidden" }, given ? "you asked for " : "asked "), make("span", { class: "a" }, shown(asked)));
  if (measured !== null) {
    numbers.append(make("span", { class: "arrow", "aria-hidden": "true" }, "→"), make("span", { class: "hidden" }, ", measured "));
    numbers.append(make("span", { class: "m" }, shown(measured)));
  }
  return make("td", { class: given ? `${band} given` : band }, make("div", { class: "knob" }, track, numbers));
}

function fillSettings(box, item) {
  const rows = [...Object.entries(item.axes), ...item.settings.filter(([key]) => !(key in item.axes))];
  const list = make("dl", { class: "settings" });
  for (const [key, value] of rows) list.append(make("div", {}, make("dt", {}, key.replace(/_/g, " ")), make("dd", {}, plain(value))));
  box.replaceChildren(...(rows.length ? [list] : []));
}

const deck = new Deck();
