// Forms of Apps as dialogs: every kind of field, errors beside them, and nothing that needs a mouse.

import assert from "node:assert/strict";
import { test } from "node:test";
import { everyField, windows } from "../lib/forms.js";
import { install, person } from "../lib/site.js";
import { answer, command, line } from "../lib/steps.js";
import { stage } from "../lib/stage.js";

const set = stage();

/** An App with that form, and a page on which its dialog is open. */
async function ordering(t, answers) {
  const app = await windows(answers);
  t.after(app.close);
  await install(set.demo, app.manifest);
  const page = await set.signedIn(t);
  await line(page).pressSequentially("/window order");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Order a window" });
  await dialog.waitFor();
  return { app, page, dialog };
}

/** The id in `aria-describedby` of a field whose text is this. */
const described = (field) => field.evaluate((input) =>
  input.getAttribute("aria-describedby").split(" ").map((id) => document.getElementById(id))
    .filter((element) => !element.hidden).map((element) => element.textContent));

/** The field as a screen reader is told of it. */
async function heard(page, field) {
  const session = await page.context().newCDPSession(page);
  const object = await field.evaluateHandle((element) => element);
  const id = await field.evaluate((element) => element.id);
  const { root } = await session.send("DOM.getDocument");
  const { nodeId } = await session.send("DOM.querySelector", { nodeId: root.nodeId, selector: `#${id}` });
  const { nodes } = await session.send("Accessibility.getPartialAXTree", { nodeId, fetchRelatives: false });
  await object.dispose();
  await session.detach();
  const property = (name) => nodes[0].properties.find((one) => one.name === name)?.value.value;
  return {
    role: nodes[0].role.value, name: nodes[0].name.value, description: nodes[0].description?.value ?? "",
    invalid: property("invalid"), required: property("required"), focused: property("focused") ?? false,
  };
}

test("every_kind_of_field_reaches_the_app_as_the_framework_has_it", async (t) => {
  const { app, page, dialog } = await ordering(t);
  assert.equal(await dialog.getByRole("link", { name: "the catalogue" }).getAttribute("href"), "https://example.com/catalogue");
  assert.equal(await dialog.getByText("It takes a week.").count(), 1);
  assert.equal(await dialog.locator("strong").filter({ hasText: "not" }).count(), 1, "a markdown field is rendered");

  const field = (name) => dialog.getByLabel(name);
  assert.deepEqual(
    await Promise.all(["Name", "Door code", "Panes", "E-mail", "Phone", "Website"].map((name) => field(name).getAttribute("type"))),
    ["text", "password", "number", "email", "tel", "url"],
  );
  await field("Name").fill("Ada");
  await field("Notes").fill("two\nlines");
  await field("Door code").fill("planted-code");
  await field("Panes").fill("3");
  await field("E-mail").fill("ada@example.com");
  await field("Phone").fill("+44 1");
  await field("Website").fill("https://example.com");
  await field("Colour").selectOption("Green");
  await field("Extras").selectOption(["Handle", "Shutter"]);
  await field("Town").fill("Ber");
  await dialog.locator("datalist option[value=Bern]").first().waitFor({ state: "attached" });
  await field("Town").fill("Bern");
  for (const stop of ["Arles", "Arnhem"]) {
    await dialog.getByLabel("Stops", { exact: true }).fill(stop);
    await dialog.getByRole("button", { name: `Remove ${stop}` }).waitFor();
  }
  await dialog.getByRole("button", { name: "Remove Arles" }).click();
  await field("In a hurry").check();
  await dialog.getByRole("option", { name: "user-2" }).waitFor({ state: "attached" });
  await field("Ask whom").selectOption("user-2");
  await dialog.getByRole("option", { name: "Off-Topic" }).waitFor({ state: "attached" });
  await field("Tell where").selectOption("Off-Topic");
  assert.ok(await field("Order number").evaluate((input) => input.readOnly));
  await dialog.getByRole("button", { name: "Submit" }).click();
  await answer(page, "Ordered.").waitFor();
  assert.equal(await page.getByRole("dialog").count(), 0);

  const user = await person(set.demo, "user-2");
  const [team] = await user.get("api/v4/users/me/teams");
  const channel = await user.get(`api/v4/teams/${team.id}/channels/name/off-topic`);
  const [order] = app.to("/order");
  assert.deepEqual(order.values, {
    name: "Ada", notes: "two\nlines", secret: "planted-code", panes: "3", mail: "ada@example.com", phone: "+44 1",
    home: "https://example.com", colour: { value: "g", label: "Green" },
    extras: [{ value: "h", label: "Handle" }, { value: "s", label: "Shutter" }],
    town: { value: "bern", label: "Bern" }, stops: [{ value: "arnhem", label: "Arnhem" }],
    rush: true, whom: { value: user.id, label: "user-2" }, where: { value: channel.id, label: "Off-Topic" }, number: "42",
  });
  // The inspector shows what was sent, but for what was typed into the password field.
  await page.getByRole("button", { name: "Inspect calls" }).click();
  await page.locator("#calls summary").filter({ hasText: "/order" }).first().click();
  const shown = await page.locator("#calls pre").first().textContent();
  assert.ok(shown.includes("two\\nlines") && !shown.includes("planted-code"), shown);
});

test("a_field_that_changes_may_change_the_form_and_the_keyboard_stays_where_it_was", async (t) => {
  const { app, dialog } = await ordering(t);
  await dialog.getByLabel("Name").fill("Ada");
  await dialog.getByLabel("Colour").press("r");
  await dialog.getByLabel("Shade of red").waitFor();
  const [asked] = app.to("/form");
  assert.deepEqual([asked.selected_field, asked.values.name, asked.values.colour.value], ["colour", "Ada", "r"]);
  assert.equal(await dialog.getByLabel("Name").inputValue(), "Ada", "what was typed is kept");
  assert.equal(await dialog.getByLabel("Colour").inputValue(), "r");
  assert.ok(await dialog.getByLabel("Colour").evaluate((input) => input === document.activeElement));
  await dialog.getByLabel("Colour").selectOption("Green");
  await dialog.getByLabel("Shade of red").waitFor({ state: "detached" });
});

test("a_key_that_is_down_while_the_app_answers_the_same_form_again_still_counts", async (t) => {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const { page, dialog } = await ordering(t, { "/form": () => held.then(() => ({ type: "form", form: everyField() })) });
  const asked = page.waitForRequest((request) => request.postData()?.includes("selected_field"));
  await dialog.getByLabel("Colour").selectOption("Green");
  const answered = (await asked).response();
  const rush = dialog.getByLabel("In a hurry");
  await rush.focus();
  await page.keyboard.down("Space");
  release();
  await (await answered).finished();
  // Whatever the answer changes on the screen has been drawn by then.
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  await page.keyboard.up("Space");
  assert.ok(await rush.isChecked());
  assert.equal(await dialog.getByLabel("Colour").inputValue(), "g");
});

test("errors_stand_beside_their_fields_and_a_screen_reader_is_told_of_them", async (t) => {
  const errors = { name: "Nobody is called so.", colour: "Sold out.", elsewhere: "This too." };
  const { app, page, dialog } = await ordering(t, { "/order": { type: "error", text: "Not like this.", data: { errors } } });
  const name = dialog.getByLabel("Name");
  const before = await heard(page, name);
  assert.deepEqual([before.role, before.name, before.required, before.description],
    ["textbox", "Name (needed)", true, "Who it is for"]);
  await name.fill("Nobody");
  await dialog.getByRole("button", { name: "Submit" }).click();
  await dialog.getByText("Nobody is called so.").waitFor();
  assert.match(await dialog.getByRole("alert").textContent(), /Not like this\. elsewhere: This too\./);
  const after = await heard(page, name);
  assert.deepEqual([after.invalid, after.focused, after.description], ["true", true, "Who it is for Nobody is called so."]);
  assert.deepEqual(await described(dialog.getByLabel("Colour")), ["Sold out."]);
  const below = await dialog.getByText("Nobody is called so.").boundingBox();
  const input = await name.boundingBox();
  assert.ok(below.y > input.y && below.y - input.y - input.height < 60, "the error is right below its field");
  // Once the field is changed its error is gone, and the form can be sent again.
  await name.fill("Ada");
  await page.keyboard.press("Tab");
  assert.equal((await heard(page, name)).invalid, "false");
  app.answers["/order"] = { type: "ok", text: "Ordered." };
  await dialog.getByRole("button", { name: "Submit" }).click();
  await answer(page, "Ordered.").waitFor();
  assert.equal(app.to("/order").length, 2);
});

test("a_dialog_is_filled_in_with_the_keyboard_alone_which_it_keeps_and_gives_back", async (t) => {
  const { app, page, dialog } = await ordering(t);
  const focused = () => page.evaluate(() => document.activeElement.closest("dialog") !== null
    && (document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent));
  assert.equal(await focused(), "Name (needed)", "it begins at the first field");
  // All the way round, forwards: nothing behind the dialog is ever reached.
  const seen = [];
  for (let i = 0; i < 60; i += 1) {
    const inside = await page.evaluate(() => document.activeElement === document.body || !!document.activeElement.closest("dialog"));
    assert.ok(inside, `outside after ${seen}`);
    seen.push(await focused());
    await page.keyboard.press("Tab");
    if (seen.length > 5 && (await focused()) === "Name (needed)") break;
  }
  for (const name of ["Notes", "Door code", "Colour", "In a hurry", "Cancel", "Submit"]) assert.ok(seen.includes(name), `${name}: ${seen}`);
  await dialog.getByLabel("Name").focus();
  await page.keyboard.type("Ada");
  while ((await focused()) !== "Colour") await page.keyboard.press("Tab");
  await page.keyboard.press("g");
  while ((await focused()) !== "In a hurry") await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  while ((await focused()) !== "Submit") await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await answer(page, "Ordered.").waitFor();
  const { name, colour, rush } = app.to("/order")[0].values;
  assert.deepEqual([name, colour.value, rush], ["Ada", "g", true]);
  assert.ok(await line(page).evaluate((input) => input === document.activeElement), "back in the line");

  // Escape leaves without sending.
  await page.keyboard.type("/window order");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.ok(await line(page).evaluate((input) => input === document.activeElement));
  assert.equal(app.to("/order").length, 1);
});

test("an_answer_may_be_the_next_form_and_its_buttons_say_which_was_pressed", async (t) => {
  const next = {
    title: "Are you sure?", submit: { path: "/sure", expand: {} }, submit_buttons: "choice",
    fields: [
      { name: "word", type: "text", label: "word", modal_label: "Word" },
      { name: "choice", type: "static_select", label: "choice", options: [{ value: "y", label: "Yes" }, { value: "n", label: "No" }] },
    ],
  };
  const { app, page, dialog } = await ordering(t, { "/order": { type: "form", form: next }, "/sure": { type: "ok", text: "So be it." } });
  await dialog.getByLabel("Name").fill("Ada");
  await dialog.getByRole("button", { name: "Submit" }).click();
  const second = page.getByRole("dialog", { name: "Are you sure?" });
  await second.waitFor();
  assert.equal(await page.getByRole("dialog").count(), 1, "one dialog at a time");
  assert.ok(await second.getByLabel("Word").evaluate((input) => input === document.activeElement));
  await second.getByLabel("Word").fill("really");
  await second.getByRole("button", { name: "No" }).click();
  await answer(page, "So be it.").waitFor();
  assert.deepEqual(app.to("/sure")[0].values, { word: "really", choice: { value: "n", label: "No" } });
  assert.ok(await line(page).evaluate((input) => input === document.activeElement), "back in the line");

  // Enter is the first button's.
  await command(page, "/window order");
  await page.getByRole("dialog").getByLabel("Name").fill("Ada");
  await page.keyboard.press("Enter");
  await second.waitFor();
  await page.keyboard.type("truly");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.deepEqual(app.to("/sure")[1].values, { word: "truly", choice: { value: "y", label: "Yes" } });
});

test("a_command_line_takes_the_fields_of_a_form_and_hides_what_is_secret", async (t) => {
  const { app, page, dialog } = await ordering(t);
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await line(page).fill("/window order --co");
  await page.getByRole("option", { name: "--colour" }).waitFor();
  await page.keyboard.press("Tab");
  await page.getByRole("option", { name: "Green" }).waitFor();
  await page.keyboard.type("gr");
  await page.keyboard.press("Tab");
  assert.equal(await line(page).inputValue(), "/window order --colour Green ");
  await page.keyboard.type("--name \"Ada Lovelace\" --secret planted-code --town be");
  await page.getByRole("option", { name: "Bern" }).waitFor();
  // The list of before a letter was typed has it too, behind another.
  await page.getByRole("option", { name: "Arles" }).waitFor({ state: "detached" });
  await page.keyboard.press("Tab");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Enter");
  await answer(page, "Ordered.").waitFor();
  const [order] = app.to("/order");
  assert.deepEqual(order.values, {
    colour: { value: "g", label: "Green" }, name: "Ada Lovelace", secret: "planted-code", town: { value: "bern", label: "Bern" },
  });
  assert.ok(order.raw_command.includes("--secret ***"), order.raw_command);
  const log = await page.getByRole("log").textContent();
  assert.ok(log.includes("/window order --colour Green") && !log.includes("planted-code"), "what was typed is in the log, but not the secret");
  await command(page, "/window order --colour purple");
  await answer(page, "is none of the choices").waitFor();
  await command(page, "/nothing");
  await answer(page, "No App has the command /nothing").waitFor();
});

test("a_password_that_stands_by_its_place_alone_is_hidden_too", async (t) => {
  const field = { name: "pin", type: "text", subtype: "password", label: "pin", position: 1, is_required: true };
  const open = { location: "open", label: "open", form: { title: "Open", submit: { path: "/open", expand: {} }, fields: [field] } };
  const { app, page, dialog } = await ordering(t, {
    "/bindings": { type: "ok", data: [{ location: "/command", bindings: [{ location: "window", label: "window", bindings: [
      open, { location: "order", label: "order", form: everyField() }] }] }] },
    "/open": { type: "ok", text: "It is open." },
  });
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await command(page, "/window open planted-pin");
  await answer(page, "It is open.").waitFor();
  const [call] = app.to("/open");
  assert.deepEqual([call.values, call.raw_command], [{ pin: "planted-pin" }, "/window open ***"]);
  assert.ok(!(await page.getByRole("log").textContent()).includes("planted-pin"));
});
