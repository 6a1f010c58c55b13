// The demo by hand, as somebody does it who has just started it and read what the terminal says.

import assert from "node:assert/strict";
import { test } from "node:test";
import { demoForPeople } from "../lib/demo.js";
import { answer, command, consent, line, ready } from "../lib/steps.js";
import { stage } from "../lib/stage.js";

const set = stage();

/** What somebody reads in the terminal, and nothing else: where the site is, who to be, what to type. */
function read(text) {
  const found = (pattern) => pattern.exec(text)?.slice(1) ?? assert.fail(`no ${pattern} in:\n${text}`);
  const [site_url] = found(/^ +site +(\S+)$/m);
  const [password] = found(/accounts sysadmin, user-1, user-2; password (\S+)$/m);
  const [provider_url, account, provider_password] = found(/^ +provider +(\S+)\n +accounts (\w+), \w+; password (\S+)$/m);
  found(new RegExp(`Open ${site_url} in a browser and sign in as user-1`));
  for (const what of ["connect", "send", "disconnect"]) found(new RegExp(`^ +/hello-oauth2 ${what} +\\S`, "m"));
  return { site_url, password, provider_url, provider_accounts: [account], provider_password };
}

test("a_new_user_connects_sends_and_disconnects_by_what_the_terminal_and_the_screen_say", async (t) => {
  const { text, stop } = await demoForPeople();
  t.after(stop);
  const demo = read(text);
  const page = await set.fresh(t);
  await page.goto(demo.site_url);
  await page.getByRole("link", { name: "Sign in" }).click();
  // The keyboard is in the right place on each page.
  await page.locator("#login_id:focus").waitFor();
  await page.keyboard.type("user-1");
  await page.keyboard.press("Tab");
  await page.keyboard.type(`${demo.password}\n`);
  await ready(page);
  assert.equal(await page.getByText("Signed in as").textContent(), "Signed in as user-1");

  // With the keyboard, by what is suggested.
  await page.keyboard.type("/hel");
  await page.getByRole("option", { name: "hello-oauth2" }).waitFor();
  await page.keyboard.press("Tab");
  await page.getByRole("option", { name: "connect" }).first().waitFor();
  await page.keyboard.type("con");
  await page.keyboard.press("ArrowDown");
  for (let i = 0; i < 5 && !/ connect\b/.test(await line(page).inputValue()); i += 1) {
    const chosen = page.locator("[role=option][aria-selected=true] b");
    if ((await chosen.textContent()) === "connect") await page.keyboard.press("Enter");
    else await page.keyboard.press("ArrowDown");
  }
  assert.equal(await line(page).inputValue(), "/hello-oauth2 connect ");
  await page.keyboard.press("Enter");
  const link = answer(page, "Connect your account").getByRole("link");
  assert.ok((await link.getAttribute("href")).startsWith(`${demo.site_url}/`));

  // The link leads to a tab of its own, which asks before it goes on to the provider.
  const [tab] = await Promise.all([page.waitForEvent("popup"), link.click()]);
  await tab.getByRole("heading", { name: "Connect an account with Hello, OAuth2!" }).waitFor();
  assert.match(await tab.locator("main").textContent(), /signed in as user-1/);
  await tab.getByRole("button", { name: "Continue" }).click();
  const closed = tab.waitForEvent("close");
  await consent(tab, demo);

  // The tab was opened by a link, so it closes itself: back in the console.
  await closed;
  await page.bringToFront();
  await command(page, "/hello-oauth2 send");
  const calendars = answer(page, "Your calendars");
  await calendars.waitFor();
  assert.deepEqual(await calendars.getByRole("listitem").allTextContents(), ["ada@simulator.example", "Analytical Engine"]);

  await page.getByRole("link", { name: "Connected accounts" }).click();
  await page.getByRole("heading", { name: "Hello, OAuth2!" }).waitFor();
  assert.match(await page.getByRole("listitem").textContent(), /by the call \/send/);
  assert.match(await page.getByRole("listitem").textContent(), new RegExp(demo.provider_url));
  await page.getByRole("button", { name: "Disconnect Hello, OAuth2!" }).click();
  assert.match(await page.getByRole("status").textContent(), /Hello, OAuth2! is disconnected/);
  await page.getByRole("link", { name: "Back to the site" }).click();
  await ready(page);
  await command(page, "/hello-oauth2 send");
  await answer(page, "You are not connected").waitFor();
});

test("who_says_no_at_the_provider_reads_that_nothing_was_connected", async (t) => {
  const { demo } = set;
  const page = await set.signedIn(t, "user-2");
  await command(page, "/hello-oauth2 connect");
  const link = answer(page, "Connect your account").getByRole("link");
  const [tab] = await Promise.all([page.waitForEvent("popup"), link.click()]);
  await tab.getByRole("button", { name: "Continue" }).click();
  await consent(tab, demo, { account: "grace", decision: "Deny" });
  await tab.getByRole("heading", { name: "Nothing was connected" }).waitFor();
  const text = await tab.locator("main").innerText();
  assert.match(text, /access_denied/);
  assert.match(text, /the person said no/, "the App's own word on it");
  await page.bringToFront();
  await command(page, "/hello-oauth2 send");
  await answer(page, "You are not connected").waitFor();
});

test("who_is_not_signed_in_comes_back_to_the_connect_page_after_signing_in", async (t) => {
  const { demo } = set;
  const page = await set.fresh(t);
  await page.goto(demo.connect_url);
  await page.getByLabel("User name or e-mail").fill("user-2");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  assert.match(await page.getByRole("alert").textContent(), /Enter a valid email or username/);
  assert.equal(await page.getByLabel("User name or e-mail").inputValue(), "user-2");
  await page.locator("#password:focus").waitFor();
  await page.keyboard.type(`${demo.password}\n`);
  await page.getByRole("heading", { name: "Connect an account with Hello, OAuth2!" }).waitFor();
});
