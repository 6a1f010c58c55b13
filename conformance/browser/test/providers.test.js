// The provider of an App, set by an administrator in the console.

import assert from "node:assert/strict";
import { test } from "node:test";
import { scan } from "../lib/axe.js";
import { windows } from "../lib/forms.js";
import { enter, tabTo, write } from "../lib/keyboard.js";
import { install } from "../lib/site.js";
import { stage } from "../lib/stage.js";

const set = stage();

/** The demo's provider, described by whoever sets it. */
const descriptor = (more = "") => [
  "name = 'local'", "display_name = 'Local'", `authorize_url = '${set.demo.provider_url}/authorize'`,
  `token_url = '${set.demo.provider_url}/token'`, "client_auth = 'basic'", "scopes = { default = ['profile'] }", more,
].join("\n");

async function installed(t, name) {
  const app = await windows();
  t.after(app.close);
  Object.assign(app.manifest, { app_id: name, display_name: name });
  await install(set.demo, app.manifest);
}

const choice = (dialog) => dialog.getByRole("combobox", { name: "Provider (needed)" });

/** An App of this name, and the administrator before its form. */
async function opened(t, name) {
  await installed(t, name);
  const page = await set.signedIn(t, "sysadmin");
  await page.getByRole("button", { name: "Providers" }).click();
  const dialog = page.getByRole("dialog", { name: "Provider of an App" });
  await dialog.getByLabel("App (needed)").selectOption(name);
  await dialog.getByText("No provider is set").waitFor();
  return { page, dialog };
}

test("an_administrator_sets_a_provider_sees_what_is_wrong_and_takes_it_away", async (t) => {
  const { page, dialog } = await opened(t, "window");
  const redirect = `${set.demo.site_url}/plugins/com.mattermost.apps/apps/window/oauth2/remote/complete`;
  assert.equal(await dialog.getByLabel("Redirect URI").inputValue(), redirect);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await dialog.getByRole("button", { name: "Copy" }).click();
  await dialog.getByText("Copied.").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), redirect);

  // A field that is wrong is named, and nothing is set.
  const provider = choice(dialog);
  await provider.selectOption({ label: "Another one, by a descriptor of my own" });
  await dialog.getByLabel("Descriptor").fill(descriptor("colour = 'red'"));
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByRole("alert").filter({ hasText: "colour" }).waitFor();
  await scan(page, "console with a provider's form and its error");
  assert.ok(await dialog.getByText("No provider is set").isVisible());

  await dialog.getByLabel("Descriptor").fill(descriptor());
  await dialog.getByLabel("Client id").fill("stranger");
  await dialog.getByLabel("Client secret").fill("wr0ng-s3cret");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("People connect accounts at Local.").waitFor();
  await dialog.getByText("Local refuses the client (invalid_client)").waitFor();
  await dialog.getByText("or your own, and unverified").waitFor();
  assert.equal(await dialog.getByLabel("Client secret").inputValue(), "", "what was typed does not stay");
  assert.equal(await dialog.getByLabel("Client secret").getAttribute("type"), "password");
  await scan(page, "console with a provider that refuses the client");

  // Somebody who comes later finds it, and the secret nowhere.
  await page.reload();
  await page.getByRole("button", { name: "Providers" }).click();
  await dialog.getByLabel("App (needed)").selectOption("window");
  await dialog.getByText("Local refused the client (invalid_client).").waitFor();
  assert.equal(await dialog.getByLabel("Client id").inputValue(), "stranger");
  assert.ok(!(await page.content()).includes("wr0ng-s3cret"));
  await dialog.getByRole("button", { name: "Ask the provider now" }).click();
  await dialog.getByText("Local refuses the client (invalid_client)").waitFor();

  page.once("dialog", (question) => question.accept());
  await dialog.getByRole("button", { name: "Remove" }).click();
  await dialog.getByText("No provider is set").waitFor();
  assert.equal(await dialog.getByRole("button", { name: "Remove" }).count(), 0);
  await dialog.getByRole("button", { name: "Close" }).click();
  assert.ok(await page.getByRole("button", { name: "Providers" }).evaluate((one) => one === document.activeElement));
});

test("presets_say_what_they_want_and_the_communitys_are_marked", async (t) => {
  const { page, dialog } = await opened(t, "casement");
  const provider = choice(dialog);
  const offered = await provider.getByRole("option").allTextContents();
  assert.equal(offered.filter((one) => one.endsWith("(community, unverified)")).length, 15, offered.join(", "));
  assert.ok(offered.includes("Google") && offered.includes("Zendesk (community, unverified)"));
  await provider.selectOption("zendesk");
  await dialog.getByText("nobody verified it").waitFor();
  await dialog.getByText("what stands before .zendesk.com").waitFor();
  assert.equal(await dialog.getByLabel("subdomain").getAttribute("required"), "");
  await scan(page, "console with the form of a community's provider");
  await dialog.getByLabel("subdomain").fill("tea");
  await dialog.getByLabel("Scopes", { exact: true }).fill("read write");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("People connect accounts at Zendesk").waitFor();
  await dialog.getByText("There is no client yet").waitFor();
  await provider.selectOption("google");
  assert.equal(await dialog.getByLabel("subdomain").count(), 0);
  await provider.selectOption("zendesk");
  assert.equal(await dialog.getByLabel("subdomain").inputValue(), "tea");
  assert.equal(await dialog.getByLabel("Scopes", { exact: true }).inputValue(), "read write");
});

test("a_provider_can_be_set_without_a_mouse", async (t) => {
  await installed(t, "skylight");
  const page = await set.signedIn(t, "sysadmin");
  await enter(page, page.getByRole("button", { name: "Providers" }), "Shift+Tab");
  const dialog = page.getByRole("dialog", { name: "Provider of an App" });
  await tabTo(page, dialog.getByLabel("App (needed)"));
  await page.keyboard.type("skylight");
  await dialog.getByLabel("Redirect URI").and(dialog.locator("[value*='/skylight/']")).waitFor();
  await tabTo(page, choice(dialog));
  await page.keyboard.type("Google");
  await write(page, dialog.getByLabel("Scopes", { exact: true }), "openid");
  await enter(page, dialog.getByRole("button", { name: "Save" }));
  await dialog.getByText("People connect accounts at Google.").waitFor();
  assert.ok(await dialog.getByRole("button", { name: "Save" }).evaluate((one) => one === document.activeElement));
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.ok(await page.getByRole("button", { name: "Providers" }).evaluate((one) => one === document.activeElement));
});

test("whoever_does_not_manage_the_system_is_not_offered_it", async (t) => {
  const page = await set.signedIn(t);
  assert.ok(await page.getByRole("button", { name: "Providers" }).isHidden());
});
