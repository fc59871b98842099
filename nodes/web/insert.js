// Auto's Insert: the steps that a guess would add, put into the workflow as one chain and one step of undo.
import { nodeAt, nodesOf, remember, say, widgetOf } from "./nodes.js";

const GAP = 60;
const KEEPS = ["before", "target"];

const linkOf = (graph, id) => graph.getLink?.(id) ?? graph.links?.get?.(id) ?? graph.links?.[id];

/** An input and what is wired to it, outside of the subgraphs whose own inputs feed it; null where there is none. */
function end(path, name) {
  const place = nodeAt(path);
  if (!place) return null;
  let { node, instances } = place;
  let slot = node.findInputSlot(name);
  for (;;) {
    const link = linkOf(node.graph, node.inputs?.[slot]?.link);
    if (!link) return null;
    if (Number(link.origin_id) !== -10) return { node, slot, link };
    if (!instances.length) return null;
    const promoted = node.graph.inputs?.[link.origin_slot]?.name;
    node = instances.at(-1);
    instances = instances.slice(0, -1);
    slot = node.findInputSlot(promoted);
  }
}

/** Where only the Auto node itself would see the new steps: what else looks at the same picture sees them too. */
function alongside({ node, link }) {
  const origin = node.graph.getNodeById(link.origin_id);
  const wires = [...(origin.outputs[link.origin_slot].links ?? [])].map((id) => linkOf(node.graph, id));
  return wires.filter(Boolean).map((wire) => ({ node: node.graph.getNodeById(wire.target_id), slot: wire.target_slot, link: wire }))
    .filter((entry) => entry.node && entry.node !== node && !KEEPS.includes(entry.node.inputs[entry.slot].name));
}

/** Put a chain { steps, into } between a photo and its users. Returns the new nodes; none where it cannot, and says so. */
export function insert(auto, chain) {
  const ends = chain.into.map(({ node, input }) => end(node, input)).filter(Boolean);
  const [first] = ends;
  if (!first || ends.some((entry) => entry.node.graph !== first.node.graph || Number(entry.link.origin_id) < 0)) {
    say("The steps would go into several graphs at once: insert them by hand.");
    return [];
  }
  if (ends.every((entry) => entry.node === auto)) ends.push(...alongside(first));
  const graph = first.node.graph;
  let before = graph.getNodeById(first.link.origin_id);
  let slot = first.link.origin_slot;
  graph.beforeChange?.();
  const made = chain.steps.map((step) => {
    const node = globalThis.LiteGraph.createNode(step.node);
    node.title = step.title;
    graph.add(node);
    for (const [name, value] of Object.entries(step.values)) widgetOf(node, name).value = value;
    return node;
  });
  makeRoom(graph, made, ends, before);
  const wire = (node, input) => before.connectSlots(before.outputs[slot], node, node.inputs[input]);
  for (const node of made) {
    wire(node, node.findInputSlot("image"));
    [before, slot] = [node, 0];
  }
  for (const entry of ends) wire(entry.node, entry.slot);
  graph.afterChange?.();
  remember();
  return made;
}

/** Lay new nodes out in a row before the first of their users; what lies to the right moves over. */
function makeRoom(graph, made, ends, origin) {
  const left = Math.max(origin.pos[0] + origin.size[0] + GAP, Math.min(...ends.map((entry) => entry.node.pos[0])));
  const width = made.reduce((sum, node) => sum + node.size[0] + GAP, 0);
  for (const node of nodesOf(graph)) {
    if (!made.includes(node) && node !== origin && node.pos[0] >= left - GAP) node.pos = [node.pos[0] + width, node.pos[1]];
  }
  let x = left;
  for (const node of made) {
    node.pos = [x, origin.pos[1]];
    x += node.size[0] + GAP;
  }
}
