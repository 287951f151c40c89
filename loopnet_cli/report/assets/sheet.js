// All loops: a matrix where two things were swept, cards otherwise; sorted and filtered.

const sheet = { order: items, matrix: null, cells: new Map(), asMatrix: false };
const axes = axesOf(items);

/** What was swept, in order, with the values met: [{name, values, numeric}]. */
function axesOf(all) {
  const found = new Map();
  for (const item of all) {
    for (const [name, value] of Object.entries(item.axes)) {
      if (!found.has(name)) found.set(name, new Set());
      found.get(name).add(value);
    }
  }
  return [...found].map(([name, values]) => {
    const numeric = [...values].every((value) => typeof value === "number");
    return { name, numeric, values: numeric ? [...values].sort((a, b) => a - b) : [...values] };
  }).filter((axis) => axis.values.length > 1);
}

function knobOf(item, name, measured = true) {
  const row = item.knobs?.find((known) => known[0] === name);
  return row ? row[measured ? 2 : 1] ?? row[1] : null;
}

/** What loops can be sorted by: a label and a function to a number or text. */
function sortings() {
  const ways = [["as made", (item) => item.index], ["name", (item) => item.name]];
  for (const axis of axes) ways.push([axis.name, (item) => item.axes[axis.name] ?? null]);
  const loops = items.filter((item) => item.clip !== null).map((item) => clips[item.clip]);
  if (new Set(loops.map((clip) => clip.tempo)).size > 1) ways.push(["tempo", (item) => clips[item.clip]?.tempo ?? null]);
  ways.push(["loudness", (item) => clips[item.clip]?.lufs ?? null]);
  if (items.some((item) => item.knobs)) {
    for (const band of data.bands) {
      for (const attribute of data.attributes) ways.push([`${band} ${attribute}`, (item) => knobOf(item, `${band}.${attribute}`)]);
    }
  }
  return ways;
}

function compare(a, b) {
  if (a === null || b === null) return (a === null) - (b === null);
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
}

const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) drawThumbnail(target, clips[Number(target.dataset.clip)]);
    else target.width = 0; // a thousand pictures need memory only while they are seen
  }
}, { rootMargin: "300px" });

function cellOf(item, label) {
  const button = make("button", { type: "button", class: item.clip === null ? "cell failed" : "cell", title: item.name, "data-item": item.index });
  if (item.clip !== null) {
    const canvas = make("canvas", { "data-clip": item.clip, "aria-hidden": "true" });
    observer.observe(canvas);
    button.append(canvas);
  } else button.append(make("span", { class: "cross", "aria-hidden": "true" }, "×"));
  button.append(make("span", { class: label ? "label" : "hidden" }, label || item.name));
  if (item.error) button.append(make("span", { class: label ? "why" : "hidden" }, item.error));
  button.addEventListener("click", () => press(item));
  if (!sheet.cells.has(item)) sheet.cells.set(item, []);
  sheet.cells.get(item).push(button);
  return button;
}

function fillMatrix(shownItems) {
  const [down, across] = axes;
  const others = axes.slice(2);
  const head = make("tr", {}, make("th", { scope: "col", class: "corner" }, make("span", {}, `${down.name} ↓`), make("span", {}, `${across.name} →`)));
  for (const value of across.values) head.append(make("th", { scope: "col" }, plain(value)));
  const body = make("tbody");
  for (const value of down.values) {
    const row = make("tr", {}, make("th", { scope: "row" }, plain(value)));
    for (const other of across.values) {
      const fitting = items.filter((item) => item.axes[down.name] === value && item.axes[across.name] === other);
      const cell = make("td");
      for (const item of fitting) {
        const label = others.map((axis) => `${axis.name} ${plain(item.axes[axis.name] ?? "–")}`).join(", ");
        const button = cellOf(item, label);
        button.classList.toggle("out", !shownItems.has(item));
        cell.append(button);
      }
      row.append(cell);
    }
    body.append(row);
  }
  byId("matrix").replaceChildren(make("table", {}, make("thead", {}, head), body));
}

function fillCards(order) {
  byId("cards").replaceChildren(
    ...order.map((item) => {
      const label = axes.length ? axes.map((axis) => `${axis.name} ${plain(item.axes[axis.name] ?? "–")}`).join(", ") : item.name;
      return make("li", {}, cellOf(item, label));
    }),
  );
}

/** Apply filters and sorting, and draw what is left. */
function refresh() {
  const wanted = byId("search")?.value.trim().toLowerCase() ?? "";
  const chosen = axes.map((axis, index) => [axis, byId(`axis-${index}`)?.value ?? ""]);
  const knob = byId("knob")?.value ?? "";
  const number = (id, other) => {
    const value = parseFloat(byId(id)?.value ?? "");
    return Number.isNaN(value) ? other : value;
  };
  const [least, most] = [number("least", -Infinity), number("most", Infinity)];
  const fits = (item) =>
    (!wanted || `${item.name} ${item.settings.map((row) => row.join(" ")).join(" ")}`.toLowerCase().includes(wanted)) &&
    chosen.every(([axis, value]) => value === "" || axis.values.indexOf(item.axes[axis.name]) === Number(value)) &&
    (!knob || ((value) => value !== null && value >= least && value <= most)(knobOf(item, knob)));
  const ways = sortings();
  const key = ways[Number(byId("sort")?.value ?? 0)][1];
  const down = byId("descending")?.getAttribute("aria-pressed") === "true" ? -1 : 1;
  sheet.order = items.filter(fits).map((item) => [key(item), item]).sort((a, b) => {
    const missing = (a[0] === null) - (b[0] === null);
    return missing || down * compare(a[0], b[0]) || a[1].index - b[1].index;
  }).map((pair) => pair[1]);
  sheet.cells.clear();
  observer.disconnect();
  byId("matrix").hidden = !sheet.asMatrix;
  byId("cards").hidden = sheet.asMatrix;
  if (sheet.asMatrix) {
    fillMatrix(new Set(sheet.order));
    byId("cards").replaceChildren();
    if (!key || byId("sort").value === "0") sheet.order = inMatrixOrder(sheet.order);
  } else {
    byId("matrix").replaceChildren();
    fillCards(sheet.order);
  }
  byId("none").hidden = sheet.order.length > 0;
  const failed = items.filter((item) => item.clip === null).length;
  const parts = [sheet.order.length === items.length ? "" : `${sheet.order.length} of `, `${items.length} loops`, failed ? `, ${failed} failed` : ""];
  byId("count").textContent = parts.join("");
  mark();
}

function inMatrixOrder(list) {
  const place = (item, axis) => axis.values.indexOf(item.axes[axis.name]);
  return [...list].sort((a, b) => place(a, axes[0]) - place(b, axes[0]) || place(a, axes[1]) - place(b, axes[1]) || a.index - b.index);
}

/** Show which loop is chosen, and whether it sounds. */
function mark() {
  for (const [item, buttons] of sheet.cells) {
    const chosen = item === deck.item;
    for (const button of buttons) {
      button.classList.toggle("chosen", chosen);
      button.classList.toggle("sounding", chosen && player.playing);
      button.setAttribute("aria-pressed", String(chosen && player.playing));
    }
  }
}

function fillFilters() {
  const option = (value, text) => make("option", { value }, text);
  const field = (label, ...controls) => make("label", {}, make("span", {}, label), ...controls);
  const parts = [];
  if (items.length > 8) parts.push(field("find", make("input", { id: "search", type: "search", oninput: refresh, size: 12 })));
  axes.forEach((axis, index) => {
    const values = axis.values.map((value, at) => option(at, plain(value)));
    parts.push(field(axis.name, make("select", { id: `axis-${index}`, onchange: refresh }, option("", "all"), ...values)));
  });
  const ways = sortings();
  const turn = make("button", { id: "descending", type: "button", class: "small", "aria-pressed": "false", "aria-label": "Largest first" }, "↑");
  turn.addEventListener("click", () => {
    const down = turn.getAttribute("aria-pressed") !== "true";
    turn.setAttribute("aria-pressed", String(down));
    turn.textContent = down ? "↓" : "↑";
    refresh();
  });
  if (items.length > 2) {
    const choice = make("select", { id: "sort" }, ...ways.map(([name], index) => option(index, name)));
    choice.addEventListener("change", () => {
      if (choice.value !== "0" && sheet.asMatrix) setView(false);
      else refresh();
    });
    parts.push(make("div", { class: "pair" }, field("sort by", choice), turn));
  }
  if (items.length > 2 && items.some((item) => item.knobs)) {
    const names = data.bands.flatMap((band) => data.attributes.map((attribute) => `${band}.${attribute}`));
    const bound = (id, text) => make("input", { id, type: "number", step: 0.05, placeholder: text, "aria-label": `Knob ${id === "least" ? "from" : "to"}`, oninput: refresh });
    const choice = make("select", { id: "knob", onchange: refresh }, option("", "any"), ...names.map((name) => option(name, name.replace(".", " "))));
    parts.push(make("div", { class: "pair" }, field("knob", choice), bound("least", "0"), make("span", { class: "muted" }, "to"), bound("most", "1")));
  }
  byId("filters").replaceChildren(...parts);
}

function setView(asMatrix) {
  sheet.asMatrix = asMatrix;
  for (const button of byId("view").children) button.setAttribute("aria-pressed", String((button.dataset.view === "matrix") === asMatrix));
  refresh();
}

function startSheet() {
  if (items.length < 2) return;
  byId("sheet").hidden = false;
  document.body.classList.add("many");
  fillFilters();
  const possible = axes.length >= 2;
  byId("view").hidden = !possible;
  for (const [name, text] of [["matrix", "matrix"], ["cards", "cards"]]) {
    byId("view").append(make("button", { type: "button", "data-view": name, onclick: () => setView(name === "matrix") }, text));
  }
  setView(possible);
}
