// Files from before some widgets were declared: the values of our nodes, which the editor reads by their place.
// Widgets are only ever added at the end of a declaration, so that the values of an older file are its first ones.
import { nodesIn } from "./nodes.js";

const UPLOAD = "image";
const CONTROLS = ["fixed", "increment", "decrement", "randomize", "increment-wrap"];
const VALUES = ["INT", "FLOAT", "STRING", "BOOLEAN"];

/** Class -> { widgets: [{ name, type, initial }], uploads }, from the declarations that the server sends. */
const declared = new Map();

/** Note what a class declares. */
export function declare({ name, input }) {
  const entries = Object.entries({ ...input?.required, ...input?.optional });
  const widgets = entries.filter(([, [type, options]]) => !options?.forceInput && (Array.isArray(type) || VALUES.includes(type)))
    .map(([widget, [type, options]]) => ({ name: widget, type, initial: options?.default }));
  declared.set(name, { widgets, uploads: entries.some(([, [, options]]) => options?.image_upload) });
}

const takes = (widget, word) => (Array.isArray(widget.type) ? widget.type.includes(word) : widget.type === "STRING");

/** Without what a seed once did after a run. */
function withoutControls(values, { widgets }) {
  const seed = widgets.findIndex(({ name }) => name === "seed");
  return seed >= 0 && CONTROLS.includes(values[seed + 1]) ? values.toSpliced(seed + 1, 1) : values;
}

/** Without the word of the upload button, which old files have behind Save Photo's values too. */
function withoutUpload(values, { widgets, uploads }) {
  if (values.at(-1) !== UPLOAD) return values;
  const widget = widgets[values.length - 1];
  return uploads || !widget || !takes(widget, UPLOAD) ? values.slice(0, -1) : values;
}

function mended(values, kind) {
  const plain = withoutControls(values, kind);
  if (plain.length >= kind.widgets.length + kind.uploads) return plain;
  const kept = withoutUpload(plain, kind);
  const missing = kind.widgets.slice(kept.length).map(({ initial }) => initial);
  return [...kept, ...missing, ...(kind.uploads ? [UPLOAD] : [])];
}

/** Give the nodes of a file a value for every widget, in its place. */
export function mend(file) {
  for (const node of nodesIn(file)) {
    const kind = declared.get(node?.type);
    if (kind && Array.isArray(node.widgets_values)) node.widgets_values = mended(node.widgets_values, kind);
  }
}
