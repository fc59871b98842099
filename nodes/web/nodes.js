// The nodes of the workflow: by path, their widgets, and changes that one undo takes back.
import { app } from "../../scripts/app.js";

export const FIT = "luxgrad.fit";
export const ADVICE = ["luxgrad.diagnose", "luxgrad.advice", "luxgrad.auto"];
export const COMPARE = "luxgrad.compare";

export const isOurs = (node) => typeof node?.comfyClass === "string" && node.comfyClass.startsWith("luxgrad.");
export const widgetOf = (node, name) => node?.widgets?.find((widget) => widget.name === name);
export const root = () => app.rootGraph ?? app.graph;
export const nodesOf = (graph) => graph?.nodes ?? graph?._nodes ?? [];
export const workflow = () => app.extensionManager?.workflow?.activeWorkflow;

const listed = (value) => (Array.isArray(value) ? value : []);

/** The nodes that a file describes, also inside its subgraphs. */
export const nodesIn = (file) => [file, ...listed(file?.definitions?.subgraphs)].flatMap((graph) => listed(graph?.nodes));

/** The node of an execution id such as "7:3", walking from instance to instance, and the instances on the way. */
export function nodeAt(path) {
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
export function pathsOf(node, graph = root(), prefix = "") {
  const found = [];
  for (const other of nodesOf(graph)) {
    if (other === node) found.push(prefix + other.id);
    if (other.subgraph) found.push(...pathsOf(node, other.subgraph, `${prefix}${other.id}:`));
  }
  return found;
}

/** The widget that shows a value: the node's own, or the one it is promoted to on the subgraph around it. */
export function shownWidget(node, instances, name) {
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

/** What was changed since the last time is one step of undo. */
export function remember() {
  app.canvas?.setDirty?.(true, true);
  const tracker = workflow()?.changeTracker;
  (tracker?.captureCanvasState ?? tracker?.checkState)?.call(tracker);
}

/** A short message in the corner of the editor. */
export function say(detail) {
  app.extensionManager?.toast?.add?.({ severity: "info", summary: "Luxgrad", detail, life: 5000 });
}

/** A widget drawn by an element of ours, in canvas nodes and in Nodes 2.0; no part of the file or the prompt. */
export function addElement(node, name, element, height, options = {}) {
  const widget = node.addDOMWidget(name, name, element, { serialize: false, getMinHeight: height, ...options });
  widget.serialize = false;
  return widget;
}

/** A node at least as large as its widgets need. */
export function fitSize(node) {
  const [width, height] = node.computeSize();
  node.setSize([Math.max(node.size[0], width), Math.max(node.size[1], height)]);
  app.canvas?.setDirty?.(true, true);
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
  if (changed) remember();
  return changed;
}
