// Keys, buttons, and the one loop of drawing that follows the sound.

const announce = (text) => {
  byId("live").textContent = text;
};

function nameOfSource() {
  if (deck.source === 0) return deck.choices.length > 1 ? "result" : "";
  return deck.clip.role ? `${deck.clip.role}: ${deck.clip.label}` : deck.clip.label;
}

function startPlaying(fraction = null) {
  if (!deck.clip) return;
  player.play(deck.clip, fraction);
  announce(`Playing ${deck.item.name} ${nameOfSource()}`);
}

function toggle() {
  if (player.playing) player.stop();
  else startPlaying();
}

/** Choose a loop; if something sounds, this sounds now. */
function choose(item, play = player.playing) {
  if (!item) return;
  deck.show(item, play && deck.source ? deck.source : 0);
  if (play && deck.clip) startPlaying();
  else if (player.playing) player.stop();
  update();
  sheet.cells.get(item)?.[0].scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** A click on a loop of the sheet: play it, or stop it. */
function press(item) {
  if (item === deck.item && player.playing) player.stop();
  else {
    deck.source = 0;
    choose(item, true);
  }
}

function chooseSource(index) {
  if (index >= deck.choices.length) return;
  const play = player.playing;
  deck.show(deck.item, index);
  if (play) startPlaying();
  update();
}

function step(by) {
  const { order } = sheet;
  if (!order.length) return;
  const at = order.indexOf(deck.item);
  choose(order[at < 0 ? 0 : (at + by + order.length) % order.length]);
}

/** Up and down: a row of the matrix, or of the cards as they lie. */
function stepRow(by) {
  if (!sheet.asMatrix) {
    step(by);
    return;
  }
  const [down, across] = axes;
  const rest = axes.slice(2);
  const at = down.values.indexOf(deck.item.axes[down.name]);
  const value = down.values[(at + by + down.values.length) % down.values.length];
  const same = (item, axis) => item.axes[axis.name] === deck.item.axes[axis.name];
  choose(items.find((item) => item.axes[down.name] === value && same(item, across) && rest.every((axis) => same(item, axis))));
}

function seek(fraction) {
  startPlaying(Math.min(0.9999, Math.max(0, fraction)));
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  stored("loopnet-theme", name);
  redraw();
}

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function redraw() {
  deck.draw();
  for (const canvas of document.querySelectorAll("canvas[data-clip]")) {
    if (canvas.width > 0) drawThumbnail(canvas, clips[Number(canvas.dataset.clip)]);
  }
}

function update() {
  const sounding = player.playing;
  byId("play").setAttribute("aria-label", sounding ? "Stop" : "Play");
  byId("play").querySelector("use").setAttribute("href", sounding ? "#i-stop" : "#i-play");
  byId("loop").setAttribute("aria-pressed", String(player.looping));
  byId("equal").setAttribute("aria-pressed", String(player.equal));
  byId("now").textContent = deck.item?.name ?? "";
  byId("now-source").textContent = nameOfSource();
  document.body.classList.toggle("sounding", sounding);
  mark();
  if (sounding) requestAnimationFrame(tick);
  else {
    deck.follow(0, false);
    byId("counter").textContent = deck.clip ? counted(0) : "";
  }
}

let ticking = 0;
function tick(time) {
  if (!player.playing || time === ticking) return;
  ticking = time;
  const fraction = player.fraction();
  deck.follow(fraction, true);
  byId("counter").textContent = counted(fraction);
  requestAnimationFrame(tick);
}

/** Bar, beat and sixteenth, as machines count them. */
function counted(fraction) {
  const { clip } = deck;
  const beats = beatsOf(clip);
  if (!beats) return `${shown(fraction * clip.seconds, 2)} s`;
  const at = fraction * beats;
  const bar = beatsPerBar(clip);
  const unit = clip.meter ? 4 / clip.meter[1] : 1;
  const inBar = at % bar;
  return `${Math.floor(at / bar) + 1}.${Math.floor(inBar / unit) + 1}.${Math.floor((inBar % unit) * 4) + 1}`;
}

const KEYS = {
  " ": toggle,
  ArrowLeft: () => step(-1),
  ArrowRight: () => step(1),
  ArrowUp: () => stepRow(-1),
  ArrowDown: () => stepRow(1),
  Home: () => choose(sheet.order[0]),
  End: () => choose(sheet.order.at(-1)),
  r: () => chooseSource(0),
  a: () => chooseSource(1),
  b: () => chooseSource(2),
  x: () => chooseSource((deck.source + 1) % Math.max(1, deck.choices.length)),
  l: () => player.setLooping(!player.looping),
  e: () => player.setEqual(!player.equal),
  t: () => setTheme(isDark() ? "light" : "dark"),
  0: () => seek(0),
};
for (let digit = 1; digit <= 9; digit++) KEYS[digit] = () => choose(sheet.order[digit - 1], true);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const { target } = event;
  if (target.closest("input:not([type=range]), select, textarea, [contenteditable]")) return;
  const isSmall = event.key === " " || event.key === "Enter";
  if (isSmall && target.closest("button, a, summary")) return; // what has the focus is pressed
  if (target.closest("input[type=range]") && event.key.startsWith("Arrow")) return;
  const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action || (event.repeat && !event.key.startsWith("Arrow"))) return;
  event.preventDefault();
  action();
});

// after a click, space plays and stops again; whoever tabs to a button keeps it
document.addEventListener("click", (event) => {
  if (event.detail > 0) event.target.closest("button")?.blur();
});

function fillHelp() {
  const parts = [["space", "play, stop"]];
  if (items.length > 1) parts.push(["← →", "other loops"]);
  if (axes.length > 1) parts.push(["↑ ↓", "other row"]);
  if (items.length > 1) parts.push(["1 … 9", "loop by number"]);
  if (items.some((item) => item.inputs.length)) {
    parts.push(["R", "result"], ["A", "first input"]);
    if (items.some((item) => item.inputs.length > 1)) parts.push(["B", "second input"]);
    parts.push(["X", "through them"]);
  }
  parts.push(["0", "from the start"], ["L", "loop"], ["E", "equal loudness"], ["T", "dark, light"]);
  for (const [key, what] of parts) byId("help").append(make("span", {}, make("kbd", {}, key), ` ${what}`));
}

function start() {
  const theme = stored("loopnet-theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  byId("note").textContent = data.note || `made with loopnet ${data.version}`;
  byId("plain").hidden = true;
  if (!items.length) return;
  byId("deck").hidden = false;
  byId("transport").hidden = false;
  player.onchange = update;
  byId("play").addEventListener("click", toggle);
  byId("prev").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("loop").addEventListener("click", KEYS.l);
  byId("equal").addEventListener("click", KEYS.e);
  byId("theme").addEventListener("click", KEYS.t);
  byId("volume").addEventListener("input", (event) => player.setDecibels(Number(event.target.value)));
  for (const id of ["prev", "next"]) byId(id).hidden = items.length < 2;
  byId("equal").hidden = clips.length < 2;
  const scope = byId("scope");
  scope.addEventListener("pointerdown", (event) => {
    const left = gutter();
    const x = event.clientX - scope.getBoundingClientRect().left - left;
    if (x >= 0 && event.button === 0) seek(x / (scope.clientWidth - left));
  });
  scope.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1 / 16, ArrowRight: 1 / 16 }[event.key];
    if (!by) return;
    event.preventDefault();
    seek((player.fraction() + by + 1) % 1);
  });
  new ResizeObserver(() => deck.draw()).observe(scope);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  fillHelp();
  deck.show(items.find((item) => item.clip !== null) ?? items[0]);
  startSheet();
  update();
}

/** What the page is doing, for those who look into it (and for its tests). */
window.loopnet = {
  get state() {
    const { context, current } = player;
    return {
      item: deck.item?.index ?? null,
      source: deck.source,
      clip: deck.clip?.index ?? null,
      playing: player.playing,
      fraction: player.fraction(),
      context: context ? { state: context.state, time: context.currentTime, rate: context.sampleRate } : null,
      sound: current?.node
        ? { loop: current.node.loop, samples: current.buffer.length, rate: current.buffer.sampleRate, gain: current.gain.gain.value }
        : null,
      shown: sheet.order.map((item) => item.index),
      matrix: sheet.asMatrix,
      drawn: deck.clip && spectra.has(deck.clip.index) ? deck.clip.index : null,
    };
  },
  samples: async (index, from, to) => Array.from((await player.buffer(clips[index])).getChannelData(0).slice(from, to)),
};

start();
