// An App's form as a dialog.

import { call, markdown as rendered } from "./api.js";
import { contextOf, submit } from "./calls.js";
import { el, fresh } from "./dom.js";
import { draw } from "./fields.js";

async function markdown(element, text) {
  element.textContent = text;
  element.innerHTML = await rendered(text).catch(() => element.innerHTML);
}

/** Opens a form of an App; `values` are those that are known already. */
export function open(origin, form, values = {}) {
  const title = fresh("title");
  const dialog = el("dialog", { "aria-labelledby": title, onclose: () => dialog.remove() });
  document.body.append(dialog);
  show(dialog, title, origin, form, values);
  dialog.showModal();
}

function show(dialog, title, origin, form, given) {
  const top = el("p", { class: "problem", role: "alert", hidden: true });
  const fields = [];
  const values = () =>
    Object.fromEntries(fields.map((one) => [one.name, one.value()]).filter(([, value]) => value !== undefined));
  const refresh = async (name) => {
    const { path, expand, state } = form.source ?? form.submit;
    const context = contextOf(origin);
    const answer = await call({ path, expand, state, values: values(), selected_field: name, context });
    if (answer.type === "form") show(dialog, title, origin, answer.form, values());
    else if (answer.type === "error") problem(top, answer.text);
  };
  const wide = form.fields?.find((field) => field.name === form.submit_buttons && field.type === "static_select");
  for (const field of form.fields ?? []) {
    if (field === wide) continue;
    const known = given[field.name] ?? field.value;
    fields.push(draw(field, known, { values, origin, changed: refresh, markdown }));
  }

  const send = async (event, extra = {}) => {
    event.preventDefault();
    if (!body.reportValidity()) return;
    const buttons = [...body.querySelectorAll("menu button")];
    buttons.forEach((button) => (button.disabled = true));
    const answer = await submit(origin, form.submit ?? form.source, { values: { ...values(), ...extra } }, true);
    buttons.forEach((button) => (button.disabled = false));
    if (!answer) return dialog.close();
    explain(fields, top, answer);
  };
  const choices = wide?.options ?? [];
  const submits = choices.length
    ? choices.map((one) => el("button", {
      type: "button",
      onclick: (event) => send(event, { [wide.name]: { label: one.label || one.value, value: one.value } }),
    }, one.label || one.value))
    : [el("button", { type: "submit" }, "Submit")];
  const header = form.header ? el("div", { class: "body field" }) : undefined;
  if (header) markdown(header, form.header);
  const body = el("form", { method: "dialog", novalidate: false, onsubmit: send },
    el("h2", { id: title }, form.title || origin.name || origin.app_id),
    header, top, ...fields.map((one) => one.element),
    form.footer ? el("p", { class: "soft" }, form.footer) : undefined,
    el("menu", {}, el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Cancel"), ...submits));
  dialog.replaceChildren(body);
  fields.find((one) => one.input && !one.input.readOnly)?.input.focus();
}

function problem(element, text) {
  element.textContent = text;
  element.hidden = !text;
}

/** Errors beside their fields, and what belongs to none on top. */
function explain(fields, top, answer) {
  const errors = answer.data?.errors ?? {};
  const rest = [];
  for (const [name, text] of Object.entries(errors)) {
    const field = fields.find((one) => one.name === name);
    if (!field?.invalid(text)) rest.push(`${name}: ${text}`);
  }
  const some = Object.keys(errors).length > 0;
  problem(top, [answer.text || (some ? "" : "The App refused, and gave no reason."), ...rest].filter(Boolean).join(" "));
  fields.find((one) => errors[one.name] && one.input)?.input.focus();
}
