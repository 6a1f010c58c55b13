// A form's fields as inputs: each gives `{ element, value(), invalid(text) }`.

import { get } from "./api.js";
import { el, fresh } from "./dom.js";
import { lookup } from "./commands.js";
import { contextOf, here } from "./calls.js";

const INPUTS = { number: "number", email: "email", tel: "tel", url: "url", password: "password" };

const option = (one) => ({ label: one.label || one.value, value: one.value });

function textInput(field, value) {
  const common = {
    required: field.is_required, readonly: field.readonly, placeholder: field.hint,
    minlength: field.min_length, maxlength: field.max_length,
  };
  const secret = field.subtype === "password";
  const input = field.subtype === "textarea"
    ? el("textarea", common)
    : el("input", { ...common, type: INPUTS[field.subtype] ?? "text", autocomplete: secret ? "new-password" : "off" });
  input.value = typeof value === "string" ? value : "";
  return { input, value: () => input.value || null };
}

function bool(field, value) {
  const input = el("input", { type: "checkbox", disabled: field.readonly });
  input.checked = value === true || value === "true";
  return { input, value: () => input.checked };
}

function select(field, value, options) {
  const chosen = new Set([value].flat().map((one) => one?.value ?? one));
  const empty = field.multiselect ? [] : [el("option", { value: "" }, field.is_required ? "Choose …" : "")];
  const input = el("select", {
    required: field.is_required, disabled: field.readonly, multiple: field.multiselect,
  }, ...empty);
  const known = new Map();
  const fill = (list) => {
    for (const one of list.map(option)) {
      known.set(one.value, one);
      const line = el("option", { value: one.value }, one.label);
      line.selected = chosen.has(one.value);
      input.append(line);
    }
  };
  fill(options);
  const read = () => {
    const picked = [...input.selectedOptions].map((line) => known.get(line.value)).filter(Boolean);
    return field.multiselect ? picked : picked[0] ?? null;
  };
  return { input, value: read, fill };
}

/** Options that the App looks up for what is typed, offered by the browser's own list. */
function dynamic(field, value, values, origin) {
  const list = el("datalist", { id: fresh("list") });
  const input = el("input", {
    type: "text", list: list.id, required: field.is_required, readonly: field.readonly, autocomplete: "off",
    placeholder: field.hint || "Type to search",
  });
  const known = new Map();
  const keep = (one) => known.set(one.label, one);
  const before = [value].flat().filter((one) => one?.value).map(option);
  before.forEach(keep);
  const several = field.multiselect ? picks(input, field, before) : undefined;
  if (!several && before.length) input.value = before[0].label;
  let asked = 0;
  const ask = async () => {
    const turn = (asked += 1);
    const items = await lookup(field, input.value, values(), contextOf(origin)).catch(() => []);
    if (turn !== asked) return; // Somebody typed on.
    items.map(option).forEach(keep);
    list.replaceChildren(...items.map((one) => el("option", { value: option(one).label })));
    if (several && known.has(input.value)) several.add(known.get(input.value));
    check();
  };
  const check = () => {
    const wrong = input.value !== "" && !known.has(input.value);
    input.setCustomValidity(wrong ? "Choose one of the suggestions." : "");
  };
  input.addEventListener("focus", ask, { once: true });
  input.addEventListener("input", () => {
    if (several && known.has(input.value)) several.add(known.get(input.value));
    ask();
  });
  const beside = several ? el("div", {}, several.element, list) : list;
  return { input, beside, value: several ? several.value : () => known.get(input.value) ?? null };
}

/** What was picked in a field that takes several: a row of buttons, each of which takes its own away. */
function picks(input, field, before) {
  const picked = new Map();
  const element = el("ul", { class: "picks", "aria-label": `Chosen for ${field.label || field.name}` });
  const draw = () => {
    input.required = Boolean(field.is_required) && picked.size === 0;
    element.replaceChildren(...[...picked.values()].map((one) => el("li", {}, el("button", {
      type: "button", class: "quiet", "aria-label": `Remove ${one.label}`, disabled: field.readonly,
      onclick: () => (picked.delete(one.value), draw(), input.focus()),
    }, `${one.label} ×`))));
  };
  const add = (one) => {
    picked.set(one.value, one);
    input.value = "";
    draw();
    input.dispatchEvent(new Event("change"));
  };
  for (const one of before) picked.set(one.value, one);
  draw();
  return { element, add, value: () => [...picked.values()] };
}

/** People or channels of the reader's team. */
function entity(field, value) {
  const made = select(field, value, []);
  const path = field.type === "user"
    ? `channels/${here.channel_id}/members`
    : `users/me/teams/${here.team_id}/channels`;
  const load = async () => {
    const list = await get(path);
    if (field.type === "channel") {
      return list.filter((one) => one.display_name).map((one) => ({ label: one.display_name, value: one.id }));
    }
    const users = await Promise.all(list.map((one) => get(`users/${one.user_id}`)));
    return users.map((one) => ({ label: one.username, value: one.id }));
  };
  load().then(made.fill, () => made.input.append(el("option", { disabled: true }, "The list cannot be had")));
  return made;
}

/** The field as it is drawn; `values` reads the other fields, `changed` is told of a change. */
export function draw(field, value, { values, origin, changed, markdown }) {
  if (field.type === "markdown") {
    const element = el("div", { class: "field body" });
    markdown(element, field.description ?? "");
    return { element, name: field.name, value: () => undefined, invalid: () => false };
  }
  const made = {
    bool: () => bool(field, value),
    static_select: () => select(field, value, field.options ?? []),
    dynamic_select: () => dynamic(field, value, values, origin),
    user: () => entity(field, value),
    channel: () => entity(field, value),
  }[field.type]?.() ?? textInput(field, value);
  const { input } = made;
  const [help, problem] = [fresh("help"), fresh("problem")];
  input.id = fresh("field");
  input.setAttribute("aria-describedby", `${help} ${problem}`);
  input.addEventListener("change", () => {
    invalid("");
    if (field.refresh) changed(field.name);
  });
  const says = el("p", { class: "problem", id: problem, hidden: true });
  const label = el("label", { for: input.id },
    field.modal_label || field.label || field.name, field.is_required ? el("small", {}, " (needed)") : undefined);
  const shown = field.type === "bool" ? [el("div", { class: "check" }, input, label)] : [label, input, made.beside];
  const element = el("div", { class: "field" }, ...shown,
    el("p", { class: "soft", id: help, hidden: !field.description }, field.description), says);
  const invalid = (text) => {
    says.textContent = text;
    says.hidden = !text;
    input.setAttribute("aria-invalid", text ? "true" : "false");
    return true;
  };
  return { element, input, name: field.name, value: made.value, invalid };
}
