// An App's form as a dialog.

import { call, markdown as rendered } from "./api.js";
import { contextOf, submit } from "./calls.js";
import { byId, el, fresh, put } from "./dom.js";
import { draw } from "./fields.js";

async function markdown(element, text) {
  element.textContent = text;
  await rendered(text).then((html) => put(element, html), () => {});
}

/** Opens a form of an App; `values` are those that are known already. */
export function open(origin, form, values = {}) {
  const [title, asks] = [fresh("title"), fresh("asks")];
  const before = document.activeElement;
  const close = () => {
    dialog.remove();
    // By itself the browser gives the keyboard back while its caret is still in the dialog: then what is typed is lost.
    const back = before?.isConnected && before !== document.body ? before : byId("line");
    back.blur();
    back.focus();
    if (document.activeElement !== back) byId("line").focus();
  };
  const dialog = el("dialog", { "aria-labelledby": title, "aria-describedby": asks, onclose: close });
  document.body.append(dialog);
  show({ dialog, title, asks, origin }, form, values);
  dialog.showModal();
  focus(dialog);
}

/** The first field that can be filled in; else the first button. */
function focus(dialog) {
  const [first] = dialog.querySelectorAll(".field :is(input, select, textarea):not([readonly], [disabled])");
  (first ?? dialog.querySelector("menu button")).focus();
}

/** Fills the dialog with a form, in place of what it had. */
function show(shown, form, given) {
  const { dialog, title, asks, origin } = shown;
  const top = el("p", { class: "problem", role: "alert", hidden: true });
  const fields = [];
  const values = () =>
    Object.fromEntries(fields.map((one) => [one.name, one.value()]).filter(([, value]) => value !== undefined));
  const refresh = async (name) => {
    const { path, expand, state } = form.source ?? form.submit;
    const context = contextOf(origin);
    const answer = await call({ path, expand, state, values: values(), selected_field: name, context });
    if (answer.type === "error") problem(top, answer.text);
    // The same again is not drawn anew: somebody may be in the middle of a key press.
    if (answer.type !== "form" || JSON.stringify(answer.form) === JSON.stringify(form)) return;
    const at = fields.findIndex((one) => one.input === document.activeElement);
    const redrawn = show(shown, answer.form, values());
    // The keyboard stays where it was, also when the App put other fields around it.
    (redrawn.find((one) => one.name === fields[at]?.name && one.input)?.input ?? dialog).focus();
  };
  const wide = form.fields?.find((field) => field.name === form.submit_buttons && field.type === "static_select");
  for (const field of form.fields ?? []) {
    if (field === wide) continue;
    const known = given[field.name] ?? field.value;
    fields.push(draw(field, known, { values, origin, changed: refresh, markdown }));
  }

  const send = async (event) => {
    event.preventDefault();
    const picked = choices.find((one) => one.value === event.submitter?.value);
    const extra = picked ? { [wide.name]: { label: picked.label || picked.value, value: picked.value } } : {};
    const buttons = [...body.querySelectorAll("menu button")];
    const disable = (disabled) => buttons.forEach((button) => (button.disabled = disabled));
    disable(true);
    const answer = await submit(origin, form.submit ?? form.source, { values: { ...values(), ...extra } }, true);
    disable(false);
    if (!answer) return dialog.close();
    if (answer.type === "error") return explain(fields, top, answer);
    show(shown, answer.form, {});
    return focus(dialog);
  };
  const choices = wide?.options ?? [];
  const submits = choices.length
    ? choices.map((one) => el("button", { type: "submit", value: one.value }, one.label || one.value))
    : [el("button", { type: "submit" }, "Submit")];
  const text = (written, kind) => {
    if (!written) return undefined;
    const element = el("div", { class: kind });
    markdown(element, written);
    return element;
  };
  const body = el("form", { method: "dialog", onsubmit: send },
    el("p", { class: "asks", id: asks }, `The App ${origin.app_id} asks`),
    el("h2", { id: title }, form.title || origin.name || origin.app_id),
    text(form.header, "body field"), top, ...fields.map((one) => one.element), text(form.footer, "body soft"),
    el("menu", {}, el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Cancel"), ...submits));
  dialog.replaceChildren(body);
  return fields;
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
