// Luxgrad in ComfyUI's editor: the Fit button, values written back into widgets, free sliders, live previews.
// Works with canvas nodes and Nodes 2.0: plain widgets, DOM widgets and public hooks only.
import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";

const FIT = "luxgrad.fit";
const AUTO = "luxgrad.auto";
const COMPARE = "luxgrad.compare";
const COLOURS = { LUXGRAD_LOSS: "#c95d4a", LUXGRAD_LUT: "#c9a24a", LUXGRAD_NETWORK: "#7a6bc9", LUXGRAD_PERCENTILES: "#5a9e8f", LUXGRAD_GUIDE: "#5a9e8f" };

const isOurs = (node) => typeof node?.comfyClass === "string" && node.comfyClass.startsWith("luxgrad.");
const widgetOf = (node, name) => node?.widgets?.find((widget) => widget.name === name);
const root = () => app.rootGraph ?? app.graph;

// Nodes by path -----------------------------------------------------------------------------------------------------

/** The node of an execution id such as "7:3", walking from instance to instance, and the instances on the way. */
function nodeAt(path) {
  let graph = root();
  const way = [];
  for (const id of String(path).split(":")) {
    const node = graph?.getNodeById(id) ?? graph?.getNodeById(Number(id));
    if (!node) return null;
    way.push(node);
    graph = node.subgraph;
  }
  return { node: way.at(-1), instances: way.slice(0, -1) };
}

/** Every execution id under which a node runs: one for each instance of the subgraphs around it. */
function pathsOf(node, graph = root(), prefix = "") {
  const found = [];
  for (const other of graph?.nodes ?? graph?._nodes ?? []) {
    if (other === node) found.push(prefix + other.id);
    if (other.subgraph) found.push(...pathsOf(node, other.subgraph, `${prefix}${other.id}:`));
  }
  return found;
}

/** The widget that shows a value: the node's own, or the one it is promoted to on the subgraph around it. */
function shownWidget(node, instances, name) {
  const socket = node.inputs?.find((input) => input.widget?.name === name);
  if (socket?.link != null && instances.length) {
    const link = node.graph.getLink?.(socket.link) ?? node.graph.links?.get?.(socket.link) ?? node.graph.links?.[socket.link];
    if (link && Number(link.origin_id) === -10) {
      const promoted = node.graph.inputs?.[link.origin_slot]?.name;
      const outer = instances.at(-1);
      return shownWidget(outer, instances.slice(0, -1), promoted) ?? widgetOf(node, name);
    }
  }
  return widgetOf(node, name);
}

/** Put values into widgets exactly (no rounding callback), as one step of undo. Returns how many changed. */
export function writeBack(values) {
  let changed = 0;
  for (const { node, name, value } of values ?? []) {
    const place = nodeAt(node);
    const widget = place && shownWidget(place.node, place.instances, name);
    if (widget && widget.value !== value) {
      widget.value = value;
      changed += 1;
    }
  }
  if (changed) {
    app.canvas?.setDirty?.(true, true);
    const tracker = app.extensionManager?.workflow?.activeWorkflow?.changeTracker;
    (tracker?.captureCanvasState ?? tracker?.checkState)?.call(tracker);
  }
  return changed;
}

// Fit ---------------------------------------------------------------------------------------------------------------

let armed = null;

async function fit(node) {
  armed = node;
  try {
    await app.queuePrompt(0, 1, pathsOf(node));
  } finally {
    armed = null;
  }
}

function hide(widget) {
  widget.hidden = true;
  widget.options = { ...widget.options, hidden: true };
  widget.computeSize = () => [0, -4];
}

function addButton(node, label, action) {
  const button = node.addWidget("button", label, null, action, { serialize: false });
  button.serialize = false;
  return button;
}

function addText(node) {
  const element = document.createElement("div");
  element.style.cssText = "font:12px/1.4 sans-serif;white-space:pre-wrap;overflow:auto;color:var(--input-text,#ddd);padding:2px 4px";
  const widget = node.addDOMWidget("luxgrad_text", "luxgrad_text", element, { serialize: false, getMinHeight: () => 64 });
  widget.serialize = false;
  node.luxgradText = element;
}

// Which sliders are free: text in the Fit node, edited from any operation's menu --------------------------------------

function fitNodes(graph = root()) {
  const nodes = graph?.nodes ?? graph?._nodes ?? [];
  return nodes.flatMap((node) => [...(node.comfyClass === FIT ? [node] : []), ...(node.subgraph ? fitNodes(node.subgraph) : [])]);
}

const nameOf = (node) => {
  const titled = (node.graph?.nodes ?? []).filter((other) => other.title === node.title);
  return titled.length === 1 && !node.title.includes(".") && node.graph === root() ? node.title : pathsOf(node)[0];
};

const linesOf = (text) => String(text ?? "").split("\n").map((line) => line.trim()).filter(Boolean);

/** Free or hold one slider in a Fit node's text. An empty text frees all, so holding one writes out the others. */
export function toggleFree(fitNode, line, every) {
  const widget = widgetOf(fitNode, "free");
  const lines = linesOf(widget.value);
  const bare = (entry) => entry.replace(/\s+(in|per)\s.*$/, "");
  if (!lines.length) widget.value = every.filter((entry) => entry !== line).join("\n");
  else if (lines.some((entry) => bare(entry) === line)) widget.value = lines.filter((entry) => bare(entry) !== line).join("\n");
  else widget.value = [...lines, line].join("\n");
  const tracker = app.extensionManager?.workflow?.activeWorkflow?.changeTracker;
  (tracker?.captureCanvasState ?? tracker?.checkState)?.call(tracker);
  app.canvas?.setDirty?.(true, true);
}

/** Class -> the names of its sliders, from the declarations that the server sends. */
const sliders = new Map();

const slidersOf = (node) => (sliders.get(node.comfyClass) ?? []).map((name) => `${nameOf(node)}.${name}`);

function menu(node) {
  if (!isOurs(node) || !node.outputs?.some((output) => output.type === "IMAGE" || output.type === "MASK")) return [];
  const look = looked === node
    ? { content: "Luxgrad: stop looking here", callback: () => { looked = null; } }
    : { content: "Luxgrad: look here while sliders move", callback: () => { looked = node; refresh(node); } };
  return [null, look, ...freeMenu(node)];
}

function freeMenu(node) {
  const target = fitNodes()[0];
  if (!target || !isOurs(node) || !slidersOf(node).length) return [];
  const every = (root().nodes ?? root()._nodes).filter(isOurs).flatMap(slidersOf);
  const lines = linesOf(widgetOf(target, "free").value).map((entry) => entry.replace(/\s+(in|per)\s.*$/, ""));
  const options = slidersOf(node).map((line) => ({
    content: `${!lines.length || lines.includes(line) ? "● free" : "○ held"}  ${line}`,
    callback: () => toggleFree(target, line, every),
  }));
  return [{ content: "Luxgrad: free sliders", has_submenu: true, submenu: { options } }];
}

// Live previews: one request in flight, the newest waiting; shown in the node looked at, or in the one that moves ---------

let looked = null;
let busy = false;
let waiting = null;

async function refresh(node, moving) {
  if (busy) {
    waiting = [node, moving];
    return;
  }
  busy = true;
  try {
    const [path] = pathsOf(node);
    if (path === undefined) {
      looked = null; // the node looked at is gone
      return;
    }
    const { output } = await app.graphToPrompt();
    const answer = await api.fetchApi("/luxgrad/preview", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ prompt: output, node: path, moving: moving && pathsOf(moving)[0] }),
    });
    if (answer.ok) showPreview(node, await answer.blob(), answer.headers.get("X-Luxgrad-Stale") === "1");
    else if (answer.status === 409) note(node, (await answer.json()).error);
  } finally {
    busy = false;
    const next = waiting;
    waiting = null;
    if (next) refresh(...next);
  }
}

function previewOf(node) {
  if (!node.luxgradPreview) {
    const frame = document.createElement("div");
    frame.style.cssText = "position:relative;overflow:hidden;width:100%;height:100%;min-height:140px;background:#111";
    const image = document.createElement("img");
    image.style.cssText = "position:absolute;inset:0;width:100%;height:100%;object-fit:contain";
    const label = document.createElement("div");
    label.style.cssText = "position:absolute;left:4px;bottom:2px;font:11px sans-serif;color:#fff;text-shadow:0 0 3px #000";
    frame.append(image, label);
    const widget = node.addDOMWidget("luxgrad_preview", "luxgrad_preview", frame, { serialize: false, getMinHeight: () => 160 });
    widget.serialize = false;
    node.luxgradPreview = { image, label };
    const [width, height] = node.computeSize();
    node.setSize([Math.max(node.size[0], width), Math.max(node.size[1], height)]);
    app.canvas?.setDirty?.(true, true);
  }
  return node.luxgradPreview;
}

function showPreview(node, blob, stale) {
  const { image, label } = previewOf(node);
  if (image.src) URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(blob);
  image.style.opacity = stale ? "0.6" : "1";
  label.textContent = stale ? "stale: run to refresh" : "";
}

function note(node, text) {
  previewOf(node).label.textContent = text;
}

/** Both kinds of nodes call a widget's callback; canvas nodes alone would call onWidgetChanged. */
function watch(node) {
  for (const widget of node.widgets ?? []) {
    if (widget.type === "button" || widget.name?.startsWith("luxgrad_")) continue;
    const before = widget.callback;
    widget.callback = function (...values) {
      const result = before?.apply(this, values);
      if (app.extensionManager?.setting?.get?.("Luxgrad.Live") !== false) refresh(looked ?? node, node);
      return result;
    };
  }
}

// Compare -------------------------------------------------------------------------------------------------------------

const viewUrl = (picture) => api.apiURL(`/view?${new URLSearchParams(picture)}`);

function addCompare(node) {
  const frame = document.createElement("div");
  frame.style.cssText = "position:relative;overflow:hidden;width:100%;height:100%;min-height:160px;background:#111;cursor:ew-resize";
  const make = () => {
    const image = document.createElement("img");
    image.draggable = false;
    image.style.cssText = "position:absolute;inset:0;width:100%;height:100%;object-fit:contain;pointer-events:none";
    frame.append(image);
    return image;
  };
  const [after, before] = [make(), make()];
  const edge = document.createElement("div");
  edge.style.cssText = "position:absolute;top:0;bottom:0;width:2px;background:#fff;box-shadow:0 0 4px #000;pointer-events:none";
  frame.append(edge);
  const move = (share) => {
    before.style.clipPath = `inset(0 ${100 - 100 * share}% 0 0)`;
    edge.style.left = `${100 * share}%`;
  };
  frame.addEventListener("pointermove", (event) => {
    const box = frame.getBoundingClientRect();
    move(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
  });
  move(0.5);
  const widget = node.addDOMWidget("luxgrad_compare", "luxgrad_compare", frame, { serialize: false, getMinHeight: () => 200 });
  widget.serialize = false;
  node.luxgradCompare = (output) => {
    before.src = viewUrl(output.luxgrad_before[0]);
    after.src = viewUrl(output.luxgrad_after[0]);
  };
}

// The extension -------------------------------------------------------------------------------------------------------

app.registerExtension({
  name: "luxgrad",
  settings: [
    { id: "Luxgrad.Live", name: "Live previews while sliders move", type: "boolean", defaultValue: true },
    { id: "Luxgrad.Eager", name: "Render every node at once", type: "boolean", defaultValue: false,
      tooltip: "Ordinary pixels on every wire: slower, more memory, and no gradients through other packs' nodes. For packs that cannot read our pictures." },
  ],

  beforeRegisterNodeDef(_type, data) {
    const inputs = Object.entries(data.input?.required ?? {});
    sliders.set(data.name, inputs.filter(([, entry]) => entry[1]?.luxgrad).map(([name]) => name));
  },

  async setup() {
    for (const [type, colour] of Object.entries(COLOURS)) {
      if (app.canvas?.default_connection_color_byType) app.canvas.default_connection_color_byType[type] = colour;
      const links = globalThis.LGraphCanvas?.link_type_colors;
      if (links) links[type] = colour;
    }
    api.addEventListener("executed", ({ detail }) => {
      const output = detail?.output;
      if (!output) return;
      writeBack(output.luxgrad_values);
      const node = nodeAt(detail.display_node ?? detail.node)?.node;
      if (!isOurs(node)) return;
      if (node.luxgradText && output.text?.[0]) node.luxgradText.textContent = output.text[0];
      if (output.luxgrad_guess) node.luxgradGuess = output.luxgrad_guess;
      if (output.luxgrad_before) node.luxgradCompare?.(output);
    });
  },

  nodeCreated(node) {
    if (sliders.get(node.comfyClass)?.length) watch(node);
    if (node.comfyClass === FIT) {
      const action = widgetOf(node, "action");
      action.serializeValue = () => (armed === node ? "fit" : "keep");
      hide(action);
      addButton(node, "Fit", () => fit(node));
      addText(node);
    }
    if (node.comfyClass === AUTO) {
      addButton(node, "Guess", () => app.queuePrompt(0, 1, pathsOf(node)));
      addButton(node, "Apply", () => writeBack(node.luxgradGuess));
      addText(node);
    }
    if (node.comfyClass === COMPARE) {
      addCompare(node);
      addText(node);
    }
  },

  getNodeMenuItems: menu,
});
