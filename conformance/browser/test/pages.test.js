// Every page, as axe-core sees it: light and dark, on a desk and on a phone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { scan } from "../lib/axe.js";
import { windows } from "../lib/forms.js";
import { enter } from "../lib/keyboard.js";
import { install, manage } from "../lib/site.js";
import { answer, command, connect, goOn, line, openConnect, signInThere } from "../lib/steps.js";
import { stage } from "../lib/stage.js";

const set = stage();

test("the_front_page_and_the_sign_in_page_have_no_serious_finding", async (t) => {
  const page = await set.fresh(t);
  await page.goto(set.demo.site_url);
  await scan(page, "front page");
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByLabel("Password").waitFor();
  await scan(page, "sign-in page");
  await page.getByLabel("User name or e-mail").fill("user-1");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await scan(page, "sign-in page after a wrong password");
});

test("the_console_has_no_serious_finding_whatever_is_open", async (t) => {
  const app = await windows({ "/order": { type: "error", text: "Not like this.", data: { errors: { name: "Nobody is called so." } } } });
  t.after(app.close);
  await install(set.demo, app.manifest);
  const page = await set.signedIn(t);
  await scan(page, "console");
  await command(page, "Hello, *everybody*");
  await answer(page, "everybody").waitFor();
  await command(page, "/hello-oauth2 send");
  await answer(page, "You are not connected").waitFor();
  await command(page, "/hello-oauth2 connect");
  await answer(page, "Connect your account").waitFor();
  await scan(page, "console with answers");
  await line(page).fill("/hello-oauth2 ");
  await page.getByRole("option").first().waitFor();
  await line(page).press("ArrowDown");
  await scan(page, "console with suggestions");
  await line(page).fill("/window order");
  await line(page).press("Escape");
  await line(page).press("Enter");
  const dialog = page.getByRole("dialog", { name: "Order a window" });
  await dialog.waitFor();
  await dialog.getByRole("option", { name: "user-2" }).waitFor({ state: "attached" });
  await scan(page, "console with a dialog");
  await dialog.getByLabel("Name").fill("nobody");
  await dialog.getByRole("button", { name: "Submit" }).click();
  await dialog.getByText("Nobody is called so.").waitFor();
  await scan(page, "console with a dialog and its errors");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Inspect calls" }).click();
  await page.locator("#calls summary").first().click();
  await page.locator("#calls pre").first().waitFor();
  await scan(page, "console with the inspector");
});

test("the_pages_of_a_flow_have_no_serious_finding", async (t) => {
  const page = await set.signedIn(t);
  const context = page.context();
  const accounts = `${set.demo.site_url}/plugins/com.mattermost.apps/tessera/v1/accounts`;
  await page.goto(accounts);
  await scan(page, "accounts, none");

  const tab = await openConnect(context, set.demo.connect_url);
  await scan(tab, "confirm page");
  await goOn(tab);
  await tab.getByLabel("Name").waitFor();
  await scan(tab, "provider's sign-in");
  await tab.getByLabel("Name").fill("ada");
  await tab.getByLabel("Password").fill("wrong");
  await tab.getByRole("button", { name: "Sign in" }).click();
  await tab.getByRole("alert").waitFor();
  await scan(tab, "provider's sign-in after a wrong password");
  await signInThere(tab, set.demo, "ada");
  await scan(tab, "consent page");
  await tab.getByRole("button", { name: "Deny" }).click();
  await tab.getByRole("heading", { name: "Nothing was connected" }).waitFor();
  await scan(tab, "declined");
  await tab.reload();
  await tab.getByRole("heading", { name: "Refused" }).waitFor();
  await scan(tab, "error page");
  await tab.goto(`${set.demo.provider_url}/authorize?client_id=nobody`);
  await tab.getByRole("alert").waitFor();
  await scan(tab, "provider's problem page");

  const done = await connect(context, set.demo);
  await scan(done, "closing page");
  await page.reload();
  await page.getByRole("button", { name: "Disconnect" }).waitFor();
  await scan(page, "accounts, one");
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("status").waitFor();
  await scan(page, "accounts, one ended");
});

test("the_scan_finds_what_it_is_for", async (t) => {
  const page = await set.fresh(t);
  const bad = async (body, expected) => {
    await page.setContent(`<!DOCTYPE html><html lang="en"><title>kittens</title><body>${body}</body></html>`);
    await assert.rejects(scan(page, "kittens"), expected);
  };
  await bad(`<p style="color:#999;background:#aaa">kittens</p>`, /color-contrast/);
  await bad(`<input type="text">`, /label/);
  await bad(`<p style="width:50rem">kittens</p>`, /800 px wide on 360 px|816 px wide on 360 px|808 px wide on 360 px/);
});

test("the_pages_of_managed_connections_have_no_serious_finding_and_need_no_mouse", async (t) => {
  t.after(await manage(set.demo));
  const page = await set.signedIn(t, "user-2");
  const context = page.context();
  await connect(context, set.demo, { account: "ada" });
  await page.goto(`${set.demo.site_url}/plugins/com.mattermost.apps/tessera/v1/accounts`);
  await page.getByText("ada@simulator.example at Local (unverified)").waitFor();
  await page.getByText("Works", { exact: true }).waitFor();
  await scan(page, "accounts, a managed one");

  // Somebody else sits at the provider by now.
  await context.clearCookies({ domain: new URL(set.demo.provider_url).hostname });
  const tab = await openConnect(context, set.demo.connect_url);
  await signInThere(tab, set.demo, "grace");
  await tab.getByRole("button", { name: "Allow" }).click();
  await tab.getByRole("heading", { name: "Which account" }).waitFor();
  await scan(tab, "which account");
  await enter(tab, tab.getByRole("button", { name: "Keep the old one" }));
  await tab.getByText("stays as it was").waitFor();
  await scan(tab, "the old account was kept");

  await page.reload();
  await enter(page, page.getByRole("button", { name: "Disconnect" }));
  await page.getByRole("status").waitFor();
  await page.getByRole("heading", { name: "Ended lately" }).waitFor();
  await scan(page, "accounts, a managed one ended");
});
