// Luxgrad in ComfyUI's editor: the Fit button, values written back into widgets, free sliders, live previews.
// Works with canvas nodes and Nodes 2.0: plain widgets, DOM widgets, badges and public hooks only.
import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";
import { addElement, ADVICE, COMPARE, FIT, isOurs, nodeAt, pathsOf, remember, say, widgetOf, writeBack } from "./nodes.js";
import { look, lookingAt, refresh, showPreview, watch } from "./live.js";
import { leaveOut, photoOf, sliders, slidersAt, survey, tell, toggle } from "./strip.js";
import { addCompare } from "./compare.js";
import { declare, mend } from "./older.js";
import { applyPatch } from "./patch.js";
import { bringShared, declareShared, openShared, SHARED, showShared } from "./shared.js";

const COLOURS = { LUXGRAD_LOSS: "#c95d4a", LUXGRAD_LUT: "#c9a24a", LUXGRAD_NETWORK: "#7a6bc9", LUXGRAD_PERCENTILES: "#5a9e8f", LUXGRAD_GUIDE: "#5a9e8f" };

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
  addElement(node, "luxgrad_text", element, () => 92, { margin: 6 });
  node.luxgradText = element;
}

/** The pictures that a running Fit shows of the best so far are also those of the node that its photo comes from. */
function shownWhileFitting({ detail }) {
  const node = lookingAt();
  const path = node && pathsOf(node)[0];
  if (path !== undefined && path === photoOf(detail.displayNodeId ?? detail.nodeId)) showPreview(node, detail.blob, false);
}

function executed({ detail }) {
  const output = detail?.output;
  if (!output) return;
  const path = detail.display_node ?? detail.node;
  tell(path, output);
  if (writeBack(output.luxgrad_values) && lookingAt()) refresh(lookingAt());
  const node = nodeAt(path)?.node;
  if (!isOurs(node)) return;
  if (node.luxgradText && output.text?.[0]) node.luxgradText.textContent = output.text[0];
  if (output.luxgrad_advice) [node.luxgradAdvice] = output.luxgrad_advice;
  if (output.luxgrad_before) node.luxgradCompare?.(output);
  if (output.luxgrad_pulls) survey();
}

// Advice ------------------------------------------------------------------------------------------------------------

/** Apply an advice once, as one step of undo: its edits, and the turn that it was in the conversation. */
function apply(node) {
  const advice = node.luxgradAdvice;
  if (!advice) {
    say("Press Advise first.");
    return;
  }
  node.luxgradAdvice = null;
  const changed = advice.edits.length ? applyPatch(node, advice.edits) : 0;
  if (advice.edits.length && !changed) {
    say("Nothing to change: the sliders stand as advised.");
    return;
  }
  const [conversation, words] = [widgetOf(node, "conversation"), widgetOf(node, "say")];
  if (conversation) conversation.value = advice.conversation;
  if (words) words.value = "";
  remember();
  if (lookingAt()) refresh(lookingAt());
}

// Menus -------------------------------------------------------------------------------------------------------------

function menu(node) {
  if (!isOurs(node) || !node.outputs?.some((output) => output.type === "IMAGE" || output.type === "MASK")) return [];
  const here = lookingAt() === node;
  const content = here ? "Luxgrad: stop looking here" : "Luxgrad: look here while sliders move";
  return [null, { content, callback: () => look(here ? null : node) }, ...freeMenu(node)];
}

function freeMenu(node) {
  const options = slidersAt(node).map((slider) => ({
    content: `${slider.free ? "● free" : "○ held"}  ${slider.names[0]}`,
    callback: () => toggle(slider),
  }));
  return options.length ? [{ content: "Luxgrad: free sliders", has_submenu: true, submenu: { options } }] : [];
}

const commands = Object.entries(SHARED).map(([name, label]) => ({
  id: `Luxgrad.Open.${name}`, label, function: () => openShared(name, label),
}));

// The extension -------------------------------------------------------------------------------------------------------

app.registerExtension({
  name: "luxgrad",
  settings: [
    { id: "Luxgrad.Live", name: "Live previews while sliders move", type: "boolean", defaultValue: true },
    { id: "Luxgrad.Eager", name: "Render every node at once", type: "boolean", defaultValue: false,
      tooltip: "Ordinary pixels on every wire: slower, more memory, and no gradients through other packs' nodes. For packs that cannot read our pictures. With --multi-user, the default user's choice counts for all." },
    { id: "Luxgrad.MostMegapixels", name: "Most megapixels of a file", type: "number", defaultValue: 200, attrs: { min: 1, max: 10000 },
      tooltip: "Larger photos are refused before anything of them is decoded." },
    { id: "Luxgrad.MostGigabytes", name: "Most gigabytes of a file", type: "number", defaultValue: 4, attrs: { min: 1, max: 1000 },
      tooltip: "Longer files are refused before anything of them is read." },
    { id: "Luxgrad.Language", name: "Language model", type: "text", defaultValue: "",
      tooltip: "Empty: smollm2, where its package is installed. none, the path of a .gguf file, or of a folder with safetensors." },
  ],
  commands,
  menuCommands: [{ path: ["Luxgrad"], commands: commands.map(({ id }) => id) }],

  beforeRegisterNodeDef(_type, data) {
    const inputs = Object.entries({ ...data.input?.required, ...data.input?.optional });
    sliders.set(data.name, inputs.filter(([, entry]) => entry[1]?.luxgrad).map(([name]) => name));
    if (!data.name.startsWith("luxgrad.")) return;
    declare(data);
    declareShared(data);
  },

  async beforeConfigureGraph(file) {
    mend(file);
    await bringShared(file);
  },

  async setup() {
    for (const [type, colour] of Object.entries(COLOURS)) {
      if (app.canvas?.default_connection_color_byType) app.canvas.default_connection_color_byType[type] = colour;
      const links = globalThis.LGraphCanvas?.link_type_colors;
      if (links) links[type] = colour;
    }
    api.addEventListener("executed", executed);
    api.addEventListener("b_preview_with_metadata", shownWhileFitting);
    api.addEventListener("graphChanged", () => survey());
  },

  afterConfigureGraph: () => survey(),

  nodeCreated(node) {
    showShared(node);
    if (sliders.get(node.comfyClass)?.length) {
      watch(node);
      leaveOut(node);
    }
    if (node.comfyClass === FIT) {
      const action = widgetOf(node, "action");
      action.serializeValue = () => (armed === node ? "fit" : "keep");
      hide(action);
      addButton(node, "Fit", () => fit(node));
      addText(node);
    }
    if (ADVICE.includes(node.comfyClass)) {
      const conversation = widgetOf(node, "conversation");
      if (conversation) hide(conversation);
      addButton(node, "Advise", () => app.queuePrompt(0, 1, pathsOf(node)));
      addButton(node, "Apply", () => apply(node));
      addText(node);
    }
    if (node.comfyClass === COMPARE) {
      addCompare(node);
      addText(node);
    }
  },

  getNodeMenuItems: menu,
});
