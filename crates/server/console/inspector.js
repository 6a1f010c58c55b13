// The call inspector: the last calls of Apps, with what was sent and what came back.

import { inspected } from "./api.js";
import { byId, el } from "./dom.js";

const panel = byId("inspector");
const list = byId("calls");
const toggle = byId("inspect");

const opened = new Set();

function json(title, value) {
  if (value === null || value === undefined) return undefined;
  return el("section", {}, el("h4", {}, title), el("pre", { tabindex: "0" }, JSON.stringify(value, null, 2)));
}

function draw(call) {
  const key = `${call.id} ${call.path} ${call.at}`;
  const bad = call.error ?? (call.response?.type === "error" ? call.response.text : null);
  const head = el("summary", {},
    el("span", { class: bad ? "mark bad" : "mark" }, bad ? "✗ failed" : "✓ ok"),
    el("code", {}, call.path), el("span", {}, call.app_id),
    el("small", {}, `${call.kind} · ${call.took_ms} ms · ${new Date(call.at).toLocaleTimeString()}`));
  const reason = bad ? el("p", { class: "problem" }, bad) : undefined;
  const details = el("details", { open: opened.has(key) }, head, reason,
    json("The App got", call.request), json("It answered", call.response));
  details.addEventListener("toggle", () => (details.open ? opened.add(key) : opened.delete(key)));
  return el("li", {}, details);
}

async function load() {
  try {
    const calls = await inspected();
    list.replaceChildren(...calls.map(draw));
    if (!calls.length) list.replaceChildren(el("li", { class: "soft" }, "No App has been called yet."));
  } catch (error) {
    list.replaceChildren(el("li", { class: "problem" }, error.message));
  }
}

/** Something was called: the list may have grown. */
export function changed() {
  if (!panel.hidden) load();
}

toggle.addEventListener("click", () => {
  panel.hidden = !panel.hidden;
  toggle.setAttribute("aria-expanded", String(!panel.hidden));
  document.body.classList.toggle("inspecting", !panel.hidden);
  changed();
});
byId("reload").addEventListener("click", load);
