// An App with a form that has a field of every kind.

import { app as makeApp, bindings } from "./servers.js";

const call = (path) => ({ path, expand: {} });
const option = (value, label) => ({ value, label });

/** The form; `more` are fields behind the others. */
export const everyField = (more = []) => ({
  title: "Order a window",
  header: "For *everybody*. See [the catalogue](https://example.com/catalogue).",
  footer: "It takes a week.",
  submit: call("/order"),
  source: call("/form"),
  fields: [
    { name: "name", type: "text", label: "name", modal_label: "Name", is_required: true, description: "Who it is for" },
    { name: "notes", type: "text", subtype: "textarea", label: "notes", modal_label: "Notes" },
    { name: "secret", type: "text", subtype: "password", label: "secret", modal_label: "Door code" },
    { name: "panes", type: "text", subtype: "number", label: "panes", modal_label: "Panes" },
    { name: "mail", type: "text", subtype: "email", label: "mail", modal_label: "E-mail" },
    { name: "phone", type: "text", subtype: "tel", label: "phone", modal_label: "Phone" },
    { name: "home", type: "text", subtype: "url", label: "home", modal_label: "Website" },
    { name: "colour", type: "static_select", label: "colour", modal_label: "Colour", refresh: true,
      options: [option("r", "Red"), option("g", "Green")] },
    { name: "extras", type: "static_select", label: "extras", modal_label: "Extras", multiselect: true,
      options: [option("h", "Handle"), option("l", "Lock"), option("s", "Shutter")] },
    { name: "town", type: "dynamic_select", label: "town", modal_label: "Town", lookup: call("/towns") },
    { name: "stops", type: "dynamic_select", label: "stops", modal_label: "Stops", multiselect: true, lookup: call("/towns") },
    { name: "rush", type: "bool", label: "rush", modal_label: "In a hurry", description: "Costs more" },
    { name: "whom", type: "user", label: "whom", modal_label: "Ask whom" },
    { name: "where", type: "channel", label: "where", modal_label: "Tell where" },
    { name: "about", type: "markdown", description: "A window is **not** a door." },
    { name: "number", type: "text", label: "number", modal_label: "Order number", value: "42", readonly: true },
    ...more,
  ],
});

const TOWNS = ["Arles", "Arnhem", "Bern"].map((name) => option(name.toLowerCase(), name));

/** The App `window`, whose `/window order` opens that form. Further `answers` replace its own. */
export async function windows(answers = {}) {
  const order = { location: "order", label: "order", description: "Order a window", form: everyField() };
  const show = { location: "show", label: "show", description: "Show something", submit: call("/show") };
  return makeApp("window", {
    "/bindings": bindings("window", [order, show]),
    "/towns": (asked) => ({
      type: "ok",
      data: { items: TOWNS.filter((town) => town.label.toLowerCase().startsWith((asked.query ?? "").toLowerCase())) },
    }),
    "/form": (asked) => {
      const red = asked.values?.colour?.value === "r";
      const more = red ? [{ name: "shade", type: "text", label: "shade", modal_label: "Shade of red" }] : [];
      return { type: "form", form: everyField(more) };
    },
    "/order": { type: "ok", text: "Ordered." },
    ...answers,
  });
}
