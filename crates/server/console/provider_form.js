// The form for one App's provider, and what the provider said of it.

import { provider, removeProvider, setProvider } from "./api.js";
import { el, fresh } from "./dom.js";
import { draw } from "./fields.js";

const COMMUNITY = "community, unverified";
/** Stands among the names of presets, which have no space. */
const OWN = "own descriptor";

const named = (one) => (one.verified ? one.display_name : `${one.display_name} (${COMMUNITY})`);
const words = (text) => (text ?? "").split(/\s+/).filter(Boolean);
const text = (name, modal_label, more = {}) => ({ name, type: "text", modal_label, ...more });

/** Draws the form of an App into an element, in place of what it had; `set` is the record that there is, or null. */
export function show(place, app, presets, set) {
  const said = el("div", { class: "standing", role: "status" });
  const problem = el("p", { class: "problem", role: "alert", hidden: true });
  const options = [
    ...presets.map((one) => ({ label: named(one), value: one.name })),
    { label: "Another one, by a descriptor of my own", value: OWN },
  ];
  const kept = () => set && (set.preset || OWN);
  const chosen = draw({ name: "provider", type: "static_select", modal_label: "Provider", is_required: true, refresh: true, options },
    options.find((one) => one.value === kept()), { changed: () => redraw() });
  const rest = el("div");
  let fields = [];
  const redraw = () => {
    const choice = chosen.value()?.value;
    fields = choice ? fieldsOf(choice, presets, choice === kept() ? set : null) : [];
    const preset = presets.find((one) => one.name === choice);
    const warning = preset && !preset.verified
      ? "The community described this provider, and nobody verified it: connect an account of your own before others do." : "";
    rest.replaceChildren(...(warning ? [el("p", { class: "warning" }, warning)] : []), ...fields.map((one) => one.element));
  };
  redraw();
  const id = draw(text("client_id", "Client id"), set?.client_id, {});
  const secret = draw(text("client_secret", "Client secret", { subtype: "password", description: "Empty: the one that is stored stays." }), "", {});
  const own = draw(text("bot_scopes", "Scopes of the App's own token", { description: "With them its bot has a token without anybody's consent. Empty for none." }),
    (set?.bot_scopes ?? []).join(" "), {});
  const key = draw(text("key_id", "Key id", { description: "Only where the client signs with a private key, which the command line sets." }), set?.key_id, {});
  const more = el("details", { class: "more", open: Boolean(set?.key_id || set?.bot_scopes) }, el("summary", {}, "More"), own.element, key.element);

  const check = el("button", { type: "button", class: "quiet", onclick: () => busy(() => provider(app.app_id, true)) }, "Ask the provider now");
  const remove = el("button", { type: "button", class: "quiet", onclick: () => taken() }, "Remove");
  const save = el("button", { type: "submit" }, "Save");
  const stand = (now) => {
    set = now;
    said.replaceChildren(...standing(now));
    check.hidden = remove.hidden = !now;
  };
  /** Does something that gives the record as it stands then. */
  const busy = async (act) => {
    const buttons = [check, remove, save];
    const disable = (disabled) => buttons.forEach((button) => (button.disabled = disabled));
    const focused = document.activeElement;
    problem.hidden = true;
    disable(true);
    try {
      stand(await act());
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
    disable(false);
    // A button that was off, or has gone, has lost the keyboard.
    (focused?.hidden ? save : focused)?.focus();
  };
  /** A single empty one, which the command line sets, asks for what a client gets anyway. */
  const ownScopes = () => {
    const typed = words(own.value());
    return typed.length || set?.bot_scopes?.[0] !== "" ? typed : [""];
  };
  const taken = () => {
    if (!window.confirm(`Remove the provider of ${app.app_id}? It keeps its users' tokens itself from then on.`)) return;
    busy(async () => {
      await removeProvider(app.app_id);
      return null;
    });
  };
  const send = (event) => {
    event.preventDefault();
    const choice = chosen.value()?.value;
    const given = Object.fromEntries(fields.map((one) => [one.name, one.value() ?? ""]));
    const client_id = id.value() ?? "";
    const record = {
      preset: choice === OWN ? "" : choice, descriptor: given.descriptor ?? "", values: valuesOf(given),
      scopes: words(given.scopes), key_id: key.value() ?? "", bot_scopes: ownScopes(),
      // The same again would be written down as a change of the client.
      client_id: client_id === set?.client_id ? "" : client_id, client_secret: secret.value() ?? "",
    };
    busy(async () => {
      const now = await setProvider(app.app_id, record);
      secret.input.value = "";
      return now;
    });
  };
  stand(set);
  place.replaceChildren(copyable("Redirect URI, to register at the provider", app.redirect_uri),
    el("form", { onsubmit: send }, chosen.element, rest, id.element, secret.element, more,
      // Beside the buttons, where whoever has just pressed one looks.
      said, problem, el("menu", {}, remove, check, save)));
}

/** What stands before the names of what is filled in, so that none is taken for a field of ours. */
const VALUE = "value ";

/** What was filled in, by name. */
function valuesOf({ filled, ...given }) {
  const fields = Object.entries(given).filter(([name, value]) => name.startsWith(VALUE) && value);
  const pairs = words(filled).map((pair) => [pair.split("=")[0], pair.split("=").slice(1).join("=")]);
  return Object.fromEntries([...fields.map(([name, value]) => [name.slice(VALUE.length), value]), ...pairs]);
}

/** The fields that belong to a provider; `set` has what they hold now. */
function fieldsOf(choice, presets, set) {
  const preset = presets.find((one) => one.name === choice);
  const usual = preset?.scopes ?? [];
  const scopes = draw(text("scopes", "Scopes", {
    hint: usual.join(" "), description: "Parted by spaces. Empty: those that the provider's description has.",
  }), (set?.scopes ?? []).join(" "), {});
  if (choice === OWN) {
    const known = Object.entries(set?.values ?? {}).map((pair) => pair.join("=")).join(" ");
    return [
      draw(text("descriptor", "Descriptor", { subtype: "textarea", is_required: true, description: "In TOML; docs/managed.md has every field." }), set?.descriptor, {}),
      draw(text("filled", "Filled in", { hint: "host=id.example.com", description: "What the descriptor has placeholders for: name=value, parted by spaces." }), known, {}),
      scopes,
    ];
  }
  const values = (preset?.values ?? []).map((blank) => {
    const common = { name: VALUE + blank.name, modal_label: blank.name, description: blank.about, is_required: blank.default === undefined };
    const known = set?.values?.[blank.name];
    if (!blank.choices) return draw({ ...common, type: "text", hint: blank.default }, known, {});
    const field = { ...common, type: "static_select", options: blank.choices.map((one) => ({ label: one, value: one })) };
    const made = draw(field, known ?? blank.default, {});
    return { ...made, value: () => made.value()?.value };
  });
  return [...values, scopes];
}

/** How the record stands, in sentences. */
function standing(set) {
  const line = (kind, sentence) => el("p", { class: kind }, sentence);
  if (!set) return [line("soft", "No provider is set: the App keeps its users' tokens itself.")];
  const lines = [line("now", `People connect accounts at ${set.preset ? named(set) : set.display_name}.`)];
  if (!set.client_id) lines.push(line("soft", "There is no client yet: register the redirect URI, then enter the client that the provider gives you."));
  if (set.fault) lines.push(line("problem", `Nobody can connect, and no token is refreshed: ${set.probe ?? `${set.display_name} refused the client (${set.fault}).`}`));
  else if (set.probe) lines.push(line("now", `${set.probe}.`));
  for (const note of set.notes ?? []) lines.push(line("soft", `Note: ${note}.`));
  for (const change of set.changed ?? []) lines.push(line("problem", `Changed: ${change}. Save to take it over.`));
  return lines;
}

function copyable(label, value) {
  const input = el("input", { id: fresh("copy"), type: "text", readonly: true, value });
  const said = el("span", { class: "soft", role: "status" });
  const copy = async () => {
    input.select();
    // Where the browser gives no clipboard, the text is chosen and a key copies it.
    await navigator.clipboard.writeText(value).then(() => (said.textContent = "Copied."), () => (said.textContent = "Press Ctrl+C."));
  };
  return el("div", { class: "field" }, el("label", { for: input.id }, label),
    el("div", { class: "copy" }, input, el("button", { type: "button", class: "quiet", onclick: copy }, "Copy")), said);
}
