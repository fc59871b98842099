// Live previews: one request in flight, the newest waiting; shown in the node looked at, or in the one that moves.
import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";
import { addElement, fitSize, pathsOf } from "./nodes.js";

/** The node looked at while sliders move anywhere. */
let looked = null;

export const lookingAt = () => looked;

export function look(node) {
  looked = node;
  if (node) refresh(node);
}

let busy = false;
let waiting = null;

export async function refresh(node, moving) {
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
    addElement(node, "luxgrad_preview", frame, () => 160);
    node.luxgradPreview = { image, label };
    fitSize(node);
  }
  return node.luxgradPreview;
}

export function showPreview(node, blob, stale) {
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
export function watch(node) {
  let loading = true; // a file's values are set in the task that makes the node; a hand comes later
  setTimeout(() => { loading = false; });
  for (const widget of node.widgets ?? []) {
    if (widget.type === "button" || widget.name?.startsWith("luxgrad_")) continue;
    const before = widget.callback;
    widget.callback = function (...values) {
      const result = before?.apply(this, values);
      if (!loading && !app.configuringGraph && app.extensionManager?.setting?.get?.("Luxgrad.Live") !== false) refresh(looked ?? node, node);
      return result;
    };
  }
}
