// A patch applied to the workflow on the canvas, as one step of undo: sliders set, nodes put in, wired, taken out.
import { nodeAt, nodesOf, say, shownWidget, widgetOf } from "./nodes.js";

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
    if (!link) return slot < 0 ? null : { node, slot, link: null };
    if (Number(link.origin_id) !== -10) return { node, slot, link };
    if (!instances.length) return null;
    const promoted = node.graph.inputs?.[link.origin_slot]?.name;
    node = instances.at(-1);
    instances = instances.slice(0, -1);
    slot = node.findInputSlot(promoted);
  }
}

/** Where only the advising node itself would see the new nodes: what else looks at the same picture sees them too. */
function alongside({ node, link }) {
  const origin = node.graph.getNodeById(link.origin_id);
  const wires = [...(origin.outputs[link.origin_slot].links ?? [])].map((id) => linkOf(node.graph, id));
  return wires.filter(Boolean).map((wire) => ({ node: node.graph.getNodeById(wire.target_id), slot: wire.target_slot, link: wire }))
    .filter((entry) => entry.node && entry.node !== node && !KEEPS.includes(entry.node.inputs[entry.slot].name));
}

/** Another input of a node, that is wired: where new nodes belong that go before an input which was left open. */
function beside(path) {
  const slot = nodeAt(path)?.node.inputs?.find((input) => input.link != null);
  return slot ? end(path, slot.name) : null;
}

/** Whether every edit finds what it names; a patch is applied whole or not at all. */
function plan(adviser, edits) {
  const added = new Set(edits.filter(({ edit }) => edit === "add").map(({ step }) => step));
  const wires = edits.filter(({ edit, step }) => edit === "link" && !added.has(step))
    .map((edit) => ({ from: edit.from, end: end(edit.step, edit.input) }));
  const ends = wires.map((wire) => wire.end);
  const open = edits.find(({ edit, step }) => edit === "link" && !added.has(step));
  const first = ends.find((entry) => entry?.link) ?? (open && beside(open.step)) ?? ends[0];
  if (added.size && !first) return null;
  if (ends.some((entry) => !entry || entry.node.graph !== first.node.graph)) return null;
  if (added.size && (!first.link || Number(first.link.origin_id) < 0)) return null;
  if (added.size && ends.every((entry) => entry.node === adviser)) {
    const [wire] = wires;
    wires.push(...alongside(first).map((entry) => ({ from: wire.from, end: entry })));
  }
  const named = edits.filter(({ edit }) => edit === "set" || edit === "remove");
  if (named.some(({ step }) => !added.has(step) && !nodeAt(step))) return null;
  return { wires, first, graph: first?.node.graph ?? nodeAt(named[0]?.step)?.node.graph };
}

/** Apply the edits of a patch. Returns how many changed something; none where they do not fit, and says so. */
export function applyPatch(adviser, edits) {
  const planned = plan(adviser, edits);
  if (!planned) {
    say("The edits go into several graphs at once, or name what is no longer there: make them by hand.");
    return 0;
  }
  const { wires, first, graph } = planned;
  const before = first?.link && graph.getNodeById(first.link.origin_id);
  const made = new Map();
  let changed = 0;
  graph?.beforeChange?.();
  for (const edit of edits.filter(({ edit }) => edit === "add")) {
    const node = globalThis.LiteGraph.createNode(edit.node);
    node.title = edit.title ?? node.title;
    graph.add(node);
    for (const [name, value] of Object.entries(edit.values ?? {})) widgetOf(node, name).value = value;
    made.set(edit.step, node);
    changed += 1;
  }
  if (made.size) makeRoom(graph, [...made.values()], wires.map((wire) => wire.end), before);
  const origin = ([step, slot]) => {
    if (made.has(step)) return [made.get(step), slot];
    const node = nodeAt(step)?.node;
    return node?.graph === graph ? [node, slot] : [before, first.link.origin_slot];
  };
  const connect = (from, node, slot) => {
    if (!from) return node.disconnectInput(slot);
    const [source, output] = origin(from);
    return source.connectSlots(source.outputs[output], node, node.inputs[slot]);
  };
  for (const edit of edits) {
    if (edit.edit === "add") {
      for (const [name, from] of Object.entries(edit.links ?? {})) connect(from, made.get(edit.step), made.get(edit.step).findInputSlot(name));
    } else if (edit.edit === "link" && made.has(edit.step)) {
      connect(edit.from, made.get(edit.step), made.get(edit.step).findInputSlot(edit.input));
    }
  }
  for (const { from, end: { node, slot } } of wires) connect(from, node, slot);
  changed += wires.length && !made.size ? wires.length : 0;
  for (const edit of edits) {
    if (edit.edit === "set") changed += set(edit, made);
    if (edit.edit === "remove") changed += remove(made.get(edit.step) ?? nodeAt(edit.step).node);
  }
  graph?.afterChange?.();
  return changed;
}

/** Put a value into a widget exactly, without its rounding callback. */
function set({ step, name, value }, made) {
  const place = nodeAt(step);
  const widget = made.has(step) ? widgetOf(made.get(step), name) : place && shownWidget(place.node, place.instances, name);
  if (!widget || widget.value === value) return 0;
  widget.value = value;
  return 1;
}

/** Take a node out; its users are wired to what feeds its first picture. */
function remove(node) {
  const { graph } = node;
  const slot = node.inputs?.findIndex((input) => input.type === "IMAGE" || input.type === "MASK") ?? -1;
  const feed = slot < 0 ? null : linkOf(graph, node.inputs[slot].link);
  const users = [...(node.outputs?.[0]?.links ?? [])].map((id) => linkOf(graph, id)).filter(Boolean);
  const ends = users.map((link) => [graph.getNodeById(link.target_id), link.target_slot]);
  const source = feed && graph.getNodeById(feed.origin_id);
  graph.remove(node);
  if (source) for (const [user, place] of ends) source.connectSlots(source.outputs[feed.origin_slot], user, user.inputs[place]);
  return 1;
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
