// Calls of Apps for the reader, and what becomes of the answers.

import { call } from "./api.js";
import { el } from "./dom.js";
import { open } from "./forms.js";
import { changed } from "./inspector.js";
import { failed, told } from "./messages.js";

/** Where the reader is now; kept up to date by the page. */
export const here = { team_id: "", channel_id: "" };

/** The context of what begins at `{ app_id, location, post_id }`; the post is there in a post's menu alone. */
export function contextOf({ app_id, location, post_id }) {
  return { app_id, location, post_id, ...here, user_agent: "webapp", track_as_submit: true };
}

/**
 * Makes a call for a binding: `{ app_id, location, name, post_id }`. Gives the answer when it is about the form that sent it
 * (errors and further forms), so that the dialog can stay; otherwise it shows what came.
 */
export async function submit(origin, made, rest = {}, fromForm = false) {
  const { path, expand, state } = made;
  const creq = { path, expand, state, ...rest, context: contextOf(origin) };
  const answer = await call(creq);
  changed();
  const by = answer.app_metadata?.bot_username || origin.app_id;
  switch (answer.type) {
    case "error":
      if (fromForm) return answer;
      failed(by, answer.text);
      return undefined;
    case "form":
      if (fromForm) return answer;
      open(origin, answer.form);
      return undefined;
    case "navigate":
      told(by, `[Continue at ${host(answer.navigate_to_url)}](<${answer.navigate_to_url}>)`);
      window.open(answer.navigate_to_url, "_blank", "noopener,noreferrer");
      return undefined;
    case "ok":
      if (answer.text) told(by, answer.text);
      return undefined;
    default:
      failed(by, `The App answered with the type "${answer.type}", which this console does not know.`);
      return undefined;
  }
}

function host(url) {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}

/** Begins what a binding is for: its call, or its form. */
export async function begin(binding, location, post_id) {
  const name = binding.label || binding.location;
  const origin = { app_id: binding.app_id, location, name, post_id };
  if (binding.submit) return submit(origin, binding.submit);
  return openForm(origin, binding.form);
}

/** A form may have to be asked for first. */
export async function openForm(origin, form, values = {}) {
  if (form.fields?.length || !form.source) return open(origin, form, values);
  return submit(origin, form.source, { values });
}

/** A button for each binding below a location that does something, nested ones included. */
export function buttons(tree, at, post_id) {
  return tree.flatMap((binding) => {
    const location = `${at}/${binding.location}`;
    if (binding.bindings) return buttons(binding.bindings, location, post_id);
    const press = (event) => {
      event.target.closest("details")?.removeAttribute("open");
      return begin(binding, location, post_id);
    };
    return el("button", { type: "button", title: binding.hint, onclick: press }, binding.label || binding.location);
  });
}
