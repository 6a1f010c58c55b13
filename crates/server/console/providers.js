// Providers of Apps: for administrators alone, as the routes behind it are.

import { apps, provider, providers } from "./api.js";
import { byId, el, fresh } from "./dom.js";
import { draw } from "./fields.js";
import { show } from "./provider_form.js";

const opener = byId("providers");

async function open() {
  const [title, asks] = [fresh("title"), fresh("asks")];
  const place = el("div", { class: "provider" }, el("p", { class: "soft" }, "Reading …"));
  const dialog = el("dialog", {
    "aria-labelledby": title, "aria-describedby": asks,
    onclose: () => {
      dialog.remove();
      opener.focus();
    },
  });
  const close = el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Close");
  const about = "With a provider, this site keeps the tokens of an App's users fresh. The App sees neither refresh tokens nor the client's secret.";
  dialog.append(el("header", {}, el("h2", { id: title }, "Provider of an App"), close), el("p", { class: "asks", id: asks }, about), place);
  document.body.append(dialog);
  dialog.showModal();
  try {
    await fill(place);
  } catch (error) {
    place.replaceChildren(el("p", { class: "problem", role: "alert" }, error.message));
  }
}

/** The choice of an App, and below it that App's form. */
async function fill(place) {
  const [all, presets] = await Promise.all([apps(), providers()]);
  const installed = all.filter((app) => app.installed);
  if (!installed.length) return place.replaceChildren(el("p", {}, "No App is installed yet."));
  const below = el("div");
  const options = installed.map((app) => ({ label: `${app.display_name} (${app.app_id})`, value: app.app_id }));
  let turn = 0;
  const load = async () => {
    const mine = (turn += 1);
    const app = installed.find((one) => one.app_id === choice.value()?.value);
    below.replaceChildren();
    if (!app) return;
    try {
      const set = await provider(app.app_id);
      if (mine === turn) show(below, app, presets, set);
    } catch (error) {
      if (mine === turn) below.replaceChildren(el("p", { class: "problem", role: "alert" }, error.message));
    }
  };
  const field = { name: "app", type: "static_select", modal_label: "App", is_required: true, refresh: true, options };
  const choice = draw(field, options[0], { changed: load });
  place.replaceChildren(choice.element, below);
  choice.input.focus();
  await load();
}

opener.addEventListener("click", open);

/** Shows the way in to whoever may go there. */
export function offerTo(me) {
  opener.hidden = !me.roles.split(" ").includes("system_admin");
}
