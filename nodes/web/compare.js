// Compare: two pictures in one frame with a movable edge.
import { api } from "../../scripts/api.js";
import { addElement } from "./nodes.js";

const viewUrl = (picture) => api.apiURL(`/view?${new URLSearchParams(picture)}`);

export function addCompare(node) {
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
  addElement(node, "luxgrad_compare", frame, () => 200);
  node.luxgradCompare = (output) => {
    before.src = viewUrl(output.luxgrad_before[0]);
    after.src = viewUrl(output.luxgrad_after[0]);
  };
}
