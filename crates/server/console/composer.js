// The line at the bottom: messages, and commands with suggestions.

import { post } from "./api.js";
import { contextOf, here, openForm, submit } from "./calls.js";
import { resolve, split, suggest, tokens, valueOf, words } from "./commands.js";
import { byId, el, fresh } from "./dom.js";
import { failed, typed } from "./messages.js";

const form = byId("composer");
const line = byId("line");
const list = byId("suggestions");
const hint = byId("hint");

const HAS_KEYS = matchMedia("(hover: hover)").matches;
const KEYS = `Type / for commands.${HAS_KEYS ? " Tab or an arrow key takes a suggestion, Enter sends." : ""}`;

let tree = [];
let offered = [];
let chosen = -1;
let turn = 0;

/** The commands of all Apps, as they are now. */
export function setCommands(bindings) {
  tree = bindings;
  if (document.activeElement === line) offer();
}

/** Puts a text there, as if it had been typed. */
export function type(text) {
  line.value = text;
  line.focus();
  offer();
}

function close() {
  turn += 1;
  offered = [];
  choose(-1);
  list.hidden = true;
  line.setAttribute("aria-expanded", "false");
}

function choose(index) {
  chosen = index;
  [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === index)));
  const item = list.children[index];
  if (item) {
    line.setAttribute("aria-activedescendant", item.id);
    item.scrollIntoView({ block: "nearest" });
  } else {
    line.removeAttribute("aria-activedescendant");
  }
}

async function offer() {
  const text = line.value;
  if (!text.startsWith("/")) {
    hint.textContent = KEYS;
    return close();
  }
  const now = (turn += 1);
  const { words: all } = words(text.slice(1));
  const { binding, location } = resolve(tree, all);
  const found = await suggest(tree, text, contextOf({ app_id: binding.app_id ?? "", location }));
  if (now !== turn) return undefined; // Somebody typed on.
  offered = found;
  hint.textContent = [binding.hint, binding.description].filter(Boolean).join(" · ");
  list.replaceChildren(...found.map((one, index) => el("li", {
    role: "option", id: fresh("suggestion"), "aria-selected": "false",
    onmousedown: (event) => (event.preventDefault(), take(index)),
  }, el("b", {}, one.text), one.hint ? el("small", {}, one.hint) : undefined, el("small", {}, one.about ?? ""))));
  list.hidden = found.length === 0;
  line.setAttribute("aria-expanded", String(found.length > 0));
  choose(-1);
  return undefined;
}

/** Puts a suggestion in place of the last word. */
function take(index) {
  const { start } = words(line.value.slice(1));
  line.value = `${line.value.slice(0, 1 + start)}${offered[index].text} `;
  offer();
}

line.addEventListener("input", offer);
line.addEventListener("focus", offer);
line.addEventListener("blur", close);
line.addEventListener("keydown", (event) => {
  if (!offered.length) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    const count = offered.length;
    choose(chosen < 0 ? (step > 0 ? 0 : count - 1) : (chosen + step + count) % count);
  } else if (event.key === "Tab" && !event.shiftKey) {
    take(Math.max(chosen, 0));
  } else if (event.key === "Enter" && chosen >= 0) {
    take(chosen);
  } else if (event.key === "Escape") {
    close();
  } else {
    return;
  }
  event.preventDefault();
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = line.value.trim();
  if (!text) return;
  line.value = "";
  hint.textContent = KEYS;
  close();
  try {
    if (text.startsWith("/")) await run(text);
    else await post("posts", { channel_id: here.channel_id, message: text });
  } catch (error) {
    line.value ||= text;
    failed("console", error.message);
  }
});

/** A whole command: its call, or the dialog of what is missing. */
async function run(text) {
  const { words: all } = words(text.slice(1));
  const { binding, location, rest, used } = resolve(tree, all);
  const asked = binding.form;
  const { texts, unknown, extra } = split(asked, rest);
  const raw_command = masked(text, asked, texts, used);
  typed(raw_command);
  const said = `/${all.slice(0, used).join(" ")}`;
  if (used === 0) throw new Error(`No App has the command /${all[0] ?? ""}.`);
  if (binding.bindings) {
    const below = binding.bindings.map((child) => child.label || child.location).join(", ");
    throw new Error(`${said} needs one of: ${below}.`);
  }
  const origin = { app_id: binding.app_id, location, name: said };
  if (binding.submit) return submit(origin, binding.submit, { raw_command });
  if (unknown) throw new Error(`${said} has no ${unknown}.`);
  if (extra !== undefined) throw new Error(`${said} does not know what "${extra}" is for.`);
  const values = {};
  for (const field of asked.fields ?? []) {
    if (texts.has(field.name)) {
      const context = contextOf(origin);
      values[field.name] = await valueOf(field, texts.get(field.name), values, context);
    }
  }
  const missing = (asked.fields ?? []).some((field) => field.is_required && values[field.name] === undefined);
  if (missing || !asked.submit || !asked.fields?.length) return openForm(origin, asked, values);
  return submit(origin, asked.submit, { values, raw_command });
}

/** The command as it was typed, but for what was typed into password fields: those go as values alone. */
function masked(text, asked, texts, used) {
  const fields = (asked?.fields ?? []).filter((field) => field.subtype === "password" && texts.has(field.name));
  const secrets = new Set(fields.flatMap(({ name }) => [texts.get(name), ...texts.get(name).split(/\s+/)]));
  secrets.delete("");
  let shown = text;
  for (const { word, start, end } of tokens(text.slice(1)).slice(used).reverse()) {
    const [, flag, value] = /^(--[^=]+=)?(.*)$/s.exec(word);
    if (secrets.has(word) || secrets.has(value)) shown = `${shown.slice(0, 1 + start)}${flag ?? ""}***${shown.slice(1 + end)}`;
  }
  return shown;
}
