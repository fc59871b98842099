// The strip on an operation before a Fit: a padlock for each slider, and after a fit how it was pulled and where it went.
import { app } from "../../scripts/app.js";
import { addElement, FIT, fitSize, nodeAt, pathsOf, remember, say, shownWidget, widgetOf, workflow } from "./nodes.js";
import { isFree, toggled } from "./free.js";

const ROW = 18;
const MOST_ROWS = 8;
const MARGIN = 6;
const STYLE = `
.luxgrad-strip { box-sizing: border-box; width: 100%; height: 100%; overflow: hidden auto; padding: 2px 7px; font: 11px/${ROW}px Inter, sans-serif;
  color: var(--input-text, #ddd); scrollbar-width: thin; }
.luxgrad-row { display: flex; align-items: center; gap: 6px; height: ${ROW}px; white-space: nowrap; }
.luxgrad-row button { all: unset; display: flex; align-items: center; gap: 6px; min-width: 0; max-width: 60%; flex: 1 0 auto;
  cursor: pointer; border-radius: 3px; }
.luxgrad-row button:hover, .luxgrad-row button:focus-visible { background: rgb(128 128 128 / 18%); }
.luxgrad-row svg { flex: none; width: 11px; height: 11px; fill: none; stroke: currentcolor; stroke-width: 1.4; }
.luxgrad-row .name { overflow: hidden; text-overflow: ellipsis; }
.luxgrad-row.held, .luxgrad-row .told { color: var(--descrip-text, #999); }
.luxgrad-row .told { flex: 0 1 auto; overflow: hidden; text-overflow: ellipsis; }
.luxgrad-row .pull + .told { flex: none; width: 136px; text-align: right; font-variant-numeric: tabular-nums; }
.luxgrad-row.past .told, .luxgrad-row.past .pull { opacity: 0.5; }
.luxgrad-row .pull { flex: none; width: 36px; height: 4px; border-radius: 2px; background: rgb(128 128 128 / 25%); }
.luxgrad-row .pull > i { display: block; height: 100%; border-radius: 2px; background: #c9a24a; }
`;
const LOCK = (open) =>
  `<svg viewBox="0 0 12 12" aria-hidden="true"><rect x="2" y="5.5" width="8" height="5.5" rx="1.2"/>` +
  `<path d="${open ? "M4 5.5V3.2a2 2 0 0 1 3.9-.6" : "M4 5.5V3.5a2 2 0 0 1 4 0v2"}"/></svg>`;

/** Class -> the names of its sliders, from the declarations that the server sends. */
export const sliders = new Map();

/** What the last fits told, by workflow and Fit node. */
const told = new WeakMap();

let style = null;

/** What a Fit node has to say of the sliders before it. */
export function tell(fitPath, output) {
  const current = workflow();
  if (!current || !output.luxgrad_pulls) return;
  if (!told.has(current)) told.set(current, new Map());
  told.get(current).set(String(fitPath), {
    pulls: new Map(output.luxgrad_pulls.map((entry) => [`${entry.node}.${entry.name}`, entry])),
    most: Math.max(0, ...output.luxgrad_pulls.map((entry) => Math.abs(entry.pull ?? 0))),
    blocked: output.luxgrad_blocked ?? [],
  });
}

// Which sliders lie before which Fit -----------------------------------------------------------------------------------

/** Path -> the Fit node after it, for every operation with sliders, from the prompt (so wires are as they run). */
function before(prompt) {
  const found = new Map();
  for (const [fit, entry] of Object.entries(prompt)) {
    if (entry.class_type !== FIT) continue;
    const todo = [entry.inputs.photo, entry.inputs.loss];
    while (todo.length) {
      const link = todo.pop();
      if (!Array.isArray(link) || found.has(link[0]) || !prompt[link[0]]) continue;
      found.set(link[0], fit);
      todo.push(...Object.values(prompt[link[0]].inputs));
    }
  }
  return new Map([...found].filter(([path]) => sliders.get(prompt[path].class_type)?.length));
}

/** A slider by the names that the text of a Fit may call it, the one that people read first. */
function sliderOf(prompt, path, name) {
  const title = prompt[path]._meta?.title ?? "";
  const alone = title && !title.includes(".") && !(title in prompt)
    && Object.values(prompt).filter((entry) => entry._meta?.title === title).length === 1;
  return { path, name, names: alone ? [`${title}.${name}`, `${path}.${name}`] : [`${path}.${name}`] };
}

let seen = { prompt: {}, fits: new Map() };

/** The sliders of a node that a Fit may move, whether each is free, and what the last fit told of it. */
export function slidersAt(node) {
  const path = pathsOf(node).find((entry) => seen.fits.has(entry));
  if (path === undefined) return [];
  const fit = seen.fits.get(path);
  const text = freeText(fit)?.value;
  const result = told.get(workflow())?.get(fit);
  const walls = result?.blocked.filter((entry) => entry.node === path) ?? [];
  return sliders.get(node.comfyClass).map((name) => {
    const slider = sliderOf(seen.prompt, path, name);
    const wall = walls.find((entry) => entry.sliders.includes(name));
    return { ...slider, fit, free: isFree(text, slider), pull: result?.pulls.get(`${path}.${name}`), most: result?.most, wall };
  });
}

function freeText(fit) {
  const place = nodeAt(fit);
  return place && shownWidget(place.node, place.instances, "free");
}

/** Free or hold a slider in the text of its Fit node. */
export function toggle(slider) {
  const widget = freeText(slider.fit);
  const every = [...seen.fits].filter(([, fit]) => fit === slider.fit).flatMap(([path]) =>
    sliders.get(seen.prompt[path].class_type).map((name) => sliderOf(seen.prompt, path, name)));
  const text = toggled(widget.value, slider, every);
  if (text === null) {
    say(`${slider.names[0]} is the last free slider: a fit needs one.`);
    return;
  }
  widget.value = text;
  remember();
  drawAll();
}

// Drawing --------------------------------------------------------------------------------------------------------------

const digits = (value, count = 3) => Number(value.toPrecision(count)).toString().replace("-", "\u2212");

function words(slider, now) {
  const { pull, wall } = slider;
  if (wall && !wall.partly) return [wall.by ? `no gradient through ${nodeAt(wall.by)?.node.title ?? wall.by}` : `held: ${wall.why}`, false];
  if (!pull || !slider.free) return ["", false];
  if (!pull.reached) return ["the loss does not see it", false];
  const spread = pull.std === null ? "" : pull.flat ? " ± ?" : ` ± ${digits(pull.std, 2)}`;
  return [`${digits(pull.start)} → ${digits(pull.value)}${spread}${wall ? " in part" : ""}`, now !== pull.value];
}

/** What a pointer on those words reads. */
function why(slider, text) {
  const [name] = slider.names;
  if (!slider.wall) return text;
  return slider.wall.partly ? `${text}\n${name} was fitted only in part: ${slider.wall.why}` : `${name} is held: ${slider.wall.why}`;
}

function row(node, instances, slider) {
  const [text, past] = words(slider, shownWidget(node, instances, slider.name)?.value);
  const line = document.createElement("div");
  const free = slider.free && (!slider.wall || slider.wall.partly);
  line.className = `luxgrad-row ${free ? "free" : "held"} ${past ? "past" : ""}`;
  const button = document.createElement("button");
  button.type = "button";
  button.innerHTML = LOCK(free);
  const name = document.createElement("span");
  name.className = "name";
  name.textContent = slider.name;
  button.append(name);
  button.title = slider.free ? `${slider.names[0]} is free: a fit may move it. Press to hold it.`
    : `${slider.names[0]} is held. Press to free it for the fit.`;
  button.setAttribute("aria-pressed", String(slider.free));
  button.addEventListener("click", () => toggle(slider));
  line.append(button);
  if (slider.pull?.pull != null && slider.free) line.append(bar(slider));
  if (text) {
    const said = document.createElement("span");
    said.className = "told";
    said.textContent = text;
    said.title = why(slider, text);
    line.append(said);
  }
  return line;
}

/** How strongly the loss pulled before the fit, next to the strongest pull of all; the root makes small ones visible. */
function bar(slider) {
  const track = document.createElement("span");
  const fill = document.createElement("i");
  track.className = "pull";
  fill.style.width = `${100 * Math.sqrt(Math.abs(slider.pull.pull) / (slider.most || 1))}%`;
  track.title = `pull before the fit: ${digits(slider.pull.pull)} of loss per half range`;
  track.append(fill);
  return track;
}

function draw(node, instances) {
  const found = slidersAt(node);
  const strip = node.luxgradStrip;
  if (!found.length) {
    if (strip) {
      node.removeWidget(strip.widget);
      node.luxgradStrip = null;
      node.setSize([node.size[0], node.size[1] - strip.height]);
    }
    return;
  }
  if (!strip) {
    const element = document.createElement("div");
    element.className = "luxgrad-strip";
    const rows = ROW * Math.min(found.length, MOST_ROWS) + 4;
    const height = rows + 2 * MARGIN;
    element.style.maxHeight = `${rows}px`;
    const widget = addElement(node, "luxgrad_strip", element, () => height, { getMaxHeight: () => height, margin: MARGIN });
    node.luxgradStrip = { element, widget, height: height + 4 };
    node.setSize([node.size[0], node.size[1] + node.luxgradStrip.height]);
    fitSize(node);
  }
  node.luxgradStrip.element.replaceChildren(...found.map((slider) => row(node, instances, slider)));
}

/** Files and undo know the size of a node without its strip. */
export function leaveOut(node) {
  const before = node.onSerialize;
  node.onSerialize = function (data) {
    before?.call(this, data);
    if (this.luxgradStrip) data.size = [data.size[0], data.size[1] - this.luxgradStrip.height];
  };
}

/** A mark on nodes of other packs that no gradient came through: a badge, and a line where Nodes 2.0 would not redraw one. */
function mark() {
  for (const [node, unmark] of marked) unmark(node);
  marked.clear();
  for (const { blocked } of told.get(workflow())?.values() ?? []) {
    for (const { by } of blocked) {
      const node = by && nodeAt(by)?.node;
      if (node && !marked.has(node)) marked.set(node, globalThis.LiteGraph?.vueNodesMode ? lined(node) : badged(node));
    }
  }
}

const WALL = { text: "no gradient", fgColor: "#fff", bgColor: "#8a4a3c" };

function badged(node) {
  if (!globalThis.LGraphBadge) return () => {};
  const badge = new globalThis.LGraphBadge(WALL);
  node.badges = [...(node.badges ?? []), badge];
  return () => { node.badges = node.badges.filter((other) => other !== badge); };
}

function lined(node) {
  const element = document.createElement("div");
  element.className = "luxgrad-strip";
  element.textContent = WALL.text;
  element.style.color = "#d98a78";
  const widget = addElement(node, "luxgrad_wall", element, () => ROW + 4, { getMaxHeight: () => ROW + 4, margin: 2 });
  return () => node.removeWidget(widget);
}

const marked = new Map();

function drawAll() {
  for (const path of drawn) {
    const place = nodeAt(path);
    if (place) draw(place.node, place.instances);
  }
  mark();
}

let drawn = new Set();
let surveying = false;
let again = false;

/** Look at the workflow anew: which operations lie before a Fit, and draw their strips. */
export async function survey() {
  if (surveying) {
    again = true;
    return;
  }
  surveying = true;
  try {
    if (!style) {
      style = document.createElement("style");
      style.textContent = STYLE;
      document.head.append(style);
    }
    const { output } = await app.graphToPrompt();
    seen = { prompt: output, fits: before(output) };
    const paths = new Set(seen.fits.keys());
    drawn = new Set([...drawn, ...paths]);
    drawAll();
    drawn = paths;
  } finally {
    surveying = false;
    if (again) {
      again = false;
      survey();
    }
  }
}

/** The node that a Fit takes its photo from. */
export const photoOf = (fit) => seen.prompt[fit]?.inputs?.photo?.[0];
