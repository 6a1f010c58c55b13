// One person, several tabs and browsers, and the buttons that everybody presses too often.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connections, person } from "../lib/site.js";
import { connect, goOn, held, openConnect, signIn, signInThere } from "../lib/steps.js";
import { profile } from "../lib/chromium.js";
import { stage } from "../lib/stage.js";

const set = stage();
const COMPLETE = /\/oauth2\/remote\/complete\?/;

async function connected(demo, name) {
  return (await connections(await person(demo, name))).length;
}

test("os_05_a_second_browser_of_the_same_person_is_refused_and_the_first_still_ends_its_flow", async (t) => {
  const { demo } = set;
  const page = await set.signedIn(t);
  const tab = await openConnect(page.context(), demo.connect_url);
  await goOn(tab);
  const address = await held(tab, demo, { account: "ada" });
  const [flow] = (await page.context().cookies()).filter((cookie) => cookie.name.includes("tessera-flow"));
  assert.deepEqual([flow.httpOnly, flow.sameSite, flow.path], [true, "Lax", "/"]);

  const other = await set.signedIn(t, "user-1");
  const refused = await other.goto(address);
  assert.equal(refused.status(), 403);
  await other.getByRole("heading", { name: "Refused" }).waitFor();
  assert.match(await other.locator("main").textContent(), /only in the browser and for the person who asked for it/);
  const somebody = await set.signedIn(t, "user-2");
  assert.equal((await somebody.goto(address)).status(), 403);
  assert.deepEqual([await connected(demo, "user-1"), await connected(demo, "user-2")], [0, 0]);

  await tab.goto(address);
  await tab.getByRole("heading", { name: "is connected" }).waitFor();
  assert.deepEqual([await connected(demo, "user-1"), await connected(demo, "user-2")], [1, 0]);
  assert.ok(!(await page.context().cookies()).some((cookie) => cookie.name === flow.name), "its cookie is gone");
});

test("os_05_five_tabs_at_once_all_complete", async (t) => {
  const { demo } = set;
  const page = await set.signedIn(t, "user-2");
  const context = page.context();
  const tabs = await Promise.all(Array.from({ length: 5 }, () => openConnect(context, demo.connect_url)));
  const flows = async () => (await context.cookies()).filter((cookie) => cookie.name.includes("tessera-flow"));
  for (const tab of tabs) {
    await goOn(tab);
    await signInThere(tab, demo, "grace");
  }
  assert.equal((await flows()).length, 5, "all five are at the provider before the first comes back");
  await Promise.all(tabs.map((tab) => tab.getByRole("button", { name: "Allow" }).click()));
  for (const tab of tabs) await tab.getByRole("heading", { name: "is connected" }).waitFor();
  assert.equal((await flows()).length, 0);
});

test("os_57_os_03_back_reload_and_a_double_click_do_no_harm", async (t) => {
  const { demo } = set;
  const context = await profile(set.browser);
  t.after(() => context.close());
  const page = await context.newPage();
  await signIn(page, demo, "sysadmin");

  // Twice on *Continue*, and twice on *Allow*.
  const tab = await openConnect(context, demo.connect_url);
  await tab.getByRole("button", { name: "Continue" }).dblclick();
  await tab.getByLabel("Name").fill("ada");
  await tab.getByLabel("Password").fill(demo.provider_password);
  await tab.getByRole("button", { name: "Sign in" }).dblclick();
  await tab.getByRole("button", { name: "Allow" }).dblclick();
  await tab.waitForURL(COMPLETE);
  await tab.locator("main h1").waitFor();
  assert.equal(await connected(demo, "sysadmin"), 1, await tab.locator("main").textContent());

  // A page that was used up says so, and what it did stays done.
  await tab.reload();
  await tab.getByRole("heading", { name: "Refused" }).waitFor();
  assert.match(await tab.locator("main").textContent(), /A link like this works once/);
  assert.equal(await connected(demo, "sysadmin"), 1);
  await tab.goBack();
  await tab.goForward();
  await tab.getByRole("heading", { name: "Refused" }).waitFor();
  assert.equal(await connected(demo, "sysadmin"), 1);

  // Twice on *Disconnect*, back to the page from before, and once more.
  await page.getByRole("link", { name: "Connected accounts" }).click();
  await page.getByRole("button", { name: "Disconnect Hello, OAuth2!" }).dblclick();
  await page.getByText("No App is connected with an account of yours.").waitFor();
  assert.equal(await connected(demo, "sysadmin"), 0);
  await page.goBack();
  await page.goForward();
  await page.reload();
  await page.getByText("No App is connected with an account of yours.").waitFor();

  // Connecting again works as if nothing had happened.
  await (await connect(context, demo)).close();
  assert.equal(await connected(demo, "sysadmin"), 1);
});

test("the_callback_waits_for_who_has_to_sign_in_again", async (t) => {
  const { demo } = set;
  const page = await set.signedIn(t, "user-2");
  const tab = await openConnect(page.context(), demo.connect_url);
  await goOn(tab);
  const address = await held(tab, demo, { account: "grace" });
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("link", { name: "Sign in" }).waitFor();
  await tab.goto(address);
  assert.ok(!tab.url().includes("state="), "the state does not wait in the address bar");
  await tab.getByLabel("User name or e-mail").fill("user-2");
  await tab.getByLabel("Password").fill(demo.password);
  await tab.getByRole("button", { name: "Sign in" }).click();
  await tab.getByRole("heading", { name: "is connected" }).waitFor();
});
