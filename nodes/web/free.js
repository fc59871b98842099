// Which sliders are free: the text of the Fit node, read as the fit reads it, and edited a slider at a time.
// A slider is { names: [its name, other names that the text may call it by] }.

const COMMENT = /(?:^|\s)#.*$/;
const LINE = /^(\S.*?)((?:\s+in\s+\S+?\.\.\S+)?(?:\s+per\s+photo)?)$/;

/** A line of the text as { raw, pattern, settings } or { raw, tie: [a, b] }; a line that says nothing is { raw }. */
function parsed(raw) {
  const line = raw.replace(COMMENT, "").trim();
  if (line.includes("=")) return { raw, tie: line.split("=").map((side) => side.trim()) };
  const [, pattern, settings] = line.match(LINE) ?? [];
  return { raw, pattern, settings };
}

const linesOf = (text) => String(text ?? "").split("\n").filter((line) => line.trim()).map(parsed);

/** Shell patterns: * ? and [abc]. */
function matches(pattern, name) {
  const source = pattern.replace(/[.+^${}()|\\]/g, "\\$&").replace(/\*/g, ".*").replace(/\?/g, ".").replace(/\[!/g, "[^");
  try {
    return new RegExp(`^(?:${source})$`, "s").test(name);
  } catch {
    return pattern === name;
  }
}

const named = (slider, name) => slider.names.includes(name);
const caught = (slider, line) => line.pattern !== undefined && slider.names.some((name) => matches(line.pattern, name));
const isAll = (lines) => !lines.some((line) => line.pattern !== undefined);

/** Whether a text frees a slider; without a pattern it frees all. */
export function isFree(text, slider) {
  const lines = linesOf(text);
  return isAll(lines) || lines.some((line) => caught(slider, line) || line.tie?.some((name) => named(slider, name)));
}

/** The text with one slider freed or held, all others as they were; null where it is the last free one. */
export function toggled(text, slider, every) {
  const lines = linesOf(text);
  if (!isFree(text, slider)) return [...lines.map((line) => line.raw), slider.names[0]].join("\n");
  const others = every.filter((other) => !other.names.includes(slider.names[0]) && isFree(text, other));
  if (!others.length && !lines.some((line) => /\.(table|weights)(\.|$)/.test(line.pattern ?? ""))) return null;
  const kept = lines.flatMap((line) => without(line, slider, others));
  const missing = others.filter((other) => isAll(kept.map(parsed)) || !isFree(kept.join("\n"), other));
  return [...kept, ...missing.map((other) => other.names[0])].join("\n");
}

/** A line without a slider: a pattern that catches it becomes the names of the others that it catches. */
function without(line, slider, others) {
  if (line.tie?.some((name) => named(slider, name))) return [];
  if (!caught(slider, line)) return [line.raw];
  return others.filter((other) => caught(other, line)).map((other) => other.names[0] + line.settings);
}
