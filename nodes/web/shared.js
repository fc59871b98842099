// The workflows that come with the pack, and their photos. Load Photo lists and opens them where they lie; the editor shows
// only what lies in ComfyUI's input folder, and so it gets a copy of a photo that a node names, as of the templates of its own.
import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";
import { nodesIn, say, widgetOf } from "./nodes.js";

export const SHARED = {
  match_reference: "Fit a photo to a reference",
  landscape: "Retouch a landscape",
  portrait: "Retouch a portrait",
  film_look: "Give a photo a film look",
  portrait_local_retouch: "Retouch flaws of the skin",
  local_retouch_parts: "Local retouch, part by part",
  diagnose_and_fix: "Say what is wrong and mend it",
  say_it: "Say what you wish",
};

const PACK = new URL(import.meta.url).pathname.split("/").at(-2);
const shared = (name) => api.fetchApi(`/workflow_templates/${PACK}/${name}`);

/** Class -> its shared photos, from the declarations that the server sends. */
const photos = new Map();

/** Note the shared photos of a class. */
export function declareShared({ name, input }) {
  const names = input?.required?.file?.[1]?.luxgrad_shared;
  if (names) photos.set(name, new Set(names));
}

/** Open a shared workflow in a tab of its own. */
export async function openShared(name, label) {
  const answer = await shared(`${name}.json`);
  if (answer.ok) await app.loadGraphData(await answer.json(), true, true, label);
  else say(`The workflow ${name} could not be opened: ${answer.status}.`);
}

/** Bring the shared photos that the nodes of a file name, before they are drawn. */
export async function bringShared(file) {
  const named = nodesIn(file).map((node) => photos.get(node?.type)?.has(node.widgets_values?.[0]) && node.widgets_values[0]);
  await Promise.all(named.filter(Boolean).map(brought)).catch(() => {});
}

/** Let a node show the shared photo that it names, whenever it names one. */
export function showShared(node) {
  const names = photos.get(node.comfyClass);
  if (!names) return;
  const widget = widgetOf(node, "file");
  const before = widget.callback;
  const show = async (name) => {
    if (names.has(name) && (await brought(name)) && widget.value === name) before?.call(widget, name);
  };
  widget.callback = function (...values) {
    const result = before?.apply(this, values);
    show(widget.value);
    return result;
  };
  setTimeout(() => show(widget.value)); // a file's values are set in the task that makes the node
}

const coming = new Map();

/** Put a shared photo, folder/name, into the input folder; false where it is there, or cannot be put there. */
function brought(path) {
  if (!coming.has(path)) coming.set(path, bring(path).finally(() => coming.delete(path)));
  return coming.get(path);
}

async function bring(path) {
  const [subfolder, filename] = path.split("/");
  const there = await api.fetchApi(`/view?${new URLSearchParams({ filename, subfolder, type: "input" })}`, { method: "HEAD" });
  const photo = there.ok ? null : await shared(path);
  if (!photo?.ok) return false;
  const form = new FormData();
  form.append("image", new File([await photo.blob()], filename));
  form.append("subfolder", subfolder);
  form.append("type", "input");
  const { ok } = await api.fetchApi("/upload/image", { method: "POST", body: form });
  if (ok) say(`${path} comes with this workflow: a copy is in ComfyUI's input folder now.`);
  return ok;
}
