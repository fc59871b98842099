// The workflows that come with the pack, and their photos, which the editor shows only from ComfyUI's input folder.
import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";
import { say } from "./nodes.js";

export const SHARED = {
  match_reference: "Fit a photo to a reference",
  landscape: "Retouch a landscape",
  portrait: "Retouch a portrait",
  film_look: "Give a photo a film look",
};

const PACK = new URL(import.meta.url).pathname.split("/").at(-2);
const shared = (name) => api.fetchApi(`/workflow_templates/${PACK}/${name}`);

/** Open a shared workflow in a tab of its own. */
export async function openShared(name, label) {
  const answer = await shared(`${name}.json`);
  if (!answer.ok) {
    say(`The workflow ${name} could not be opened: ${answer.status}.`);
    return;
  }
  const workflow = await answer.json();
  const photos = workflow.nodes.filter((node) => node.type === "luxgrad.load_photo").map((node) => node.widgets_values[0]);
  const copied = await Promise.all(photos.map(copyPhoto));
  if (copied.some(Boolean)) await app.refreshComboInNodes?.();
  await app.loadGraphData(workflow, true, true, label);
}

/** Put a shared photo, folder/name, into the input folder unless it is there. */
async function copyPhoto(path) {
  const [subfolder, filename] = path.split("/");
  const there = await api.fetchApi(`/view?${new URLSearchParams({ filename, subfolder, type: "input" })}`, { method: "HEAD" });
  if (there.ok) return false;
  const photo = await shared(path);
  if (!photo.ok) return false;
  const form = new FormData();
  form.append("image", new File([await photo.blob()], filename));
  form.append("subfolder", subfolder);
  form.append("type", "input");
  return (await api.fetchApi("/upload/image", { method: "POST", body: form })).ok;
}
