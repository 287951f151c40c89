// What the page is about, and small helpers. All text reaches the page as text nodes or attributes, never as markup.

document.documentElement.classList.add("js");
const data = JSON.parse(document.getElementById("data").textContent);
const players = [...document.querySelectorAll("#plain audio")];
const { clips, items } = data;
clips.forEach((clip, index) => {
  clip.index = index;
  clip.seconds = clip.samples / clip.rate;
  const bytes = Uint8Array.from(atob(clip.picture), (c) => c.charCodeAt(0));
  clip.columns = { low: new Int8Array(bytes.length / 4), high: new Int8Array(bytes.length / 4), bytes };
  for (let i = 0; i < bytes.length / 4; i++) {
    clip.columns.low[i] = (bytes[4 * i] << 24) >> 24;
    clip.columns.high[i] = (bytes[4 * i + 1] << 24) >> 24;
  }
});
items.forEach((item, index) => {
  item.index = index;
});

const byId = (id) => document.getElementById(id);

/** Make an element: make("button", {class: "round", onclick: f}, "text", child). */
function make(tag, attributes = {}, ...children) {
  const element = tag.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4))
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function icon(name) {
  return make("svg:svg", { "aria-hidden": "true" }, make("svg:use", { href: `#i-${name}` }));
}

/** A number as people write it: at most so many decimals, a true minus. */
function shown(value, decimals = 2) {
  if (value === null || value === undefined) return "–";
  return value.toFixed(decimals).replace("-", "−");
}

function plain(value) {
  return typeof value === "number" ? String(Math.round(value * 1e4) / 1e4).replace("-", "−") : String(value);
}

/** One of the colours of the style sheet, as written there. */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function rgb(name) {
  const value = parseInt(colour(name).slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Quarter notes in a clip; null where its tempo is not known. */
function beatsOf(clip) {
  return clip.tempo ? (clip.seconds * clip.tempo) / 60 : null;
}

function beatsPerBar(clip) {
  return clip.meter ? (clip.meter[0] * 4) / clip.meter[1] : 4;
}

function stored(key, value) {
  // not every browser lets a file remember things
  try {
    if (value === undefined) return localStorage.getItem(key);
    localStorage.setItem(key, value);
  } catch {
    // then the choice holds until the page is closed
  }
  return null;
}
