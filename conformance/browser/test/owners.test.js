// Whose flow it is: sessions that end, begin or change hands on the way from connect to complete.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connections, person } from "../lib/site.js";
import { answer, command, connect, consent, goOn, held, openConnect, signIn, signInOnTheWay, signOut } from "../lib/steps.js";
import { stage } from "../lib/stage.js";

const set = stage();
const CONNECTIONS = "plugins/com.mattermost.apps/tessera/v1/connections/hello-oauth2";

/** How many connections each of the two has. */
const connected = () => Promise.all(["user-1", "user-2"].map(async (name) => (await connections(await person(set.demo, name))).length));
const ended = async (name) => (await person(set.demo, name)).del(CONNECTIONS);
const flows = async (context) => (await context.cookies()).filter((cookie) => cookie.name.includes("tessera-flow"));

/** The page that says whose link this is, and what to do. */
async function refused(page, answered) {
  if (answered) assert.equal(answered.status(), 403);
  await page.getByRole("heading", { name: "Refused" }).waitFor();
  const text = await page.locator("main").innerText();
  assert.match(text, /only in the browser and for the person who asked for it/);
  assert.match(text, /Ask the App for a new one/);
}

/** Begins a flow in a tab of this page's browser and agrees at the provider: the tab, and where it is sent back to. */
async function begun(page, account) {
  const tab = await openConnect(page.context(), set.demo.connect_url);
  await goOn(tab);
  return { tab, address: await held(tab, set.demo, { account }) };
}

async function completed(tab, address) {
  await tab.goto(address);
  await tab.getByRole("heading", { name: "is connected" }).waitFor();
}

test("os_06_os_03_a_second_user_who_opens_the_callback_of_the_first_is_refused_and_the_first_still_connects", async (t) => {
  const page = await set.signedIn(t, "user-1");
  const { tab, address } = await begun(page, "ada");
  const other = await set.signedIn(t, "user-2");
  await refused(other, await other.goto(address));
  // It is not only the browser that is wrong: with all that the first one's has of the flow it is refused as well.
  const stolen = await flows(page.context());
  assert.equal(stolen.length, 1);
  await other.context().addCookies(stolen);
  await refused(other, await other.goto(address));
  assert.deepEqual(await connected(), [0, 0]);
  await other.getByRole("link", { name: "Back to the site" }).click();
  await command(other, "/hello-oauth2 send");
  await answer(other, "You are not connected").waitFor();

  await completed(tab, address);
  assert.deepEqual(await connected(), [1, 0]);
  // What was spent is spent, for either.
  for (const late of [other, tab]) await refused(late, await late.goto(address));
  assert.deepEqual(await connected(), [1, 0]);
  await command(page, "/hello-oauth2 send");
  await answer(page, "Your calendars").waitFor();
  assert.match(await answer(page, "Your calendars").textContent(), /ada@simulator\.example/);
  await ended("user-1");
});

test("os_06_somebody_else_who_signs_in_at_the_callback_of_the_first_is_refused_and_keeps_their_own_connection", async (t) => {
  const { demo } = set;
  const page = await set.signedIn(t, "user-1");
  const { tab, address } = await begun(page, "ada");
  const other = await set.signedIn(t, "user-2");
  await (await connect(other.context(), demo, { account: "grace" })).close();
  await signOut(other);
  await other.goto(address);
  await signInOnTheWay(other, demo, "user-2");
  await refused(other);
  await other.getByRole("link", { name: "Back to the site" }).click();
  await command(other, "/hello-oauth2 send");
  const calendars = answer(other, "Your calendars");
  await calendars.waitFor();
  assert.doesNotMatch(await calendars.textContent(), /ada@/, "still an account of their own");
  await completed(tab, address);
  assert.deepEqual(await connected(), [1, 1]);
  await Promise.all([ended("user-1"), ended("user-2")]);
});

test("os_06_os_03_who_is_somebody_else_by_the_time_of_the_callback_connects_nobody_until_the_first_is_back", async (t) => {
  const { demo } = set;
  const page = await set.signedIn(t, "user-1");
  const { tab, address } = await begun(page, "ada");
  // The same browser, with its cookie of the flow, and another person before it.
  await signOut(page);
  await signIn(page, demo, "user-2");
  await refused(tab, await tab.goto(address));
  assert.deepEqual(await connected(), [0, 0]);
  await refused(tab, await tab.reload());

  // Signed out, and somebody else when the callback asks who it is.
  await signOut(page);
  await tab.goto(address);
  await signInOnTheWay(tab, demo, "user-2");
  await refused(tab);
  assert.deepEqual(await connected(), [0, 0]);
  assert.equal((await flows(page.context())).length, 1, "it waits for who began it");

  await page.goto(demo.site_url);
  await signOut(page);
  await signIn(page, demo, "user-1");
  await completed(tab, address);
  assert.deepEqual(await connected(), [1, 0]);
  assert.deepEqual(await flows(page.context()), []);
  await ended("user-1");
});

test("os_06_who_signs_out_before_the_connect_link_signs_in_confirms_and_connects", async (t) => {
  const { demo } = set;
  const page = await set.signedIn(t, "user-1");
  await command(page, "/hello-oauth2 connect");
  const link = answer(page, "Connect your account").getByRole("link");
  await link.waitFor();
  // In another tab, so that the console still shows the link.
  const elsewhere = await page.context().newPage();
  await elsewhere.goto(demo.site_url);
  await signOut(elsewhere);
  const [tab] = await Promise.all([page.waitForEvent("popup"), link.click()]);
  await tab.getByLabel("User name or e-mail").waitFor();
  assert.deepEqual(await flows(page.context()), [], "nothing begins before it is known who asks");
  // Whoever signs in now is the one who connects, and is told so.
  await signInOnTheWay(tab, demo, "user-2");
  await tab.getByRole("heading", { name: "Connect an account with Hello, OAuth2!" }).waitFor();
  assert.match(await tab.locator("main").innerText(), /signed in as user-2/);
  assert.deepEqual(await flows(page.context()), []);
  const closed = tab.waitForEvent("close");
  await tab.getByRole("button", { name: "Continue" }).click();
  await consent(tab, demo, { account: "grace" });
  await closed;
  assert.deepEqual(await connected(), [0, 1]);
  await ended("user-2");
});

test("os_06_who_signs_out_or_changes_while_the_confirm_page_waits_is_asked_again_as_who_they_are", async (t) => {
  const { demo } = set;
  const page = await set.signedIn(t, "user-1");
  const tab = await openConnect(page.context(), demo.connect_url);
  await signOut(page);
  await tab.getByRole("button", { name: "Continue" }).click();
  await signInOnTheWay(tab, demo, "user-1");
  await tab.getByRole("heading", { name: "Connect an account with Hello, OAuth2!" }).waitFor();
  assert.deepEqual(await flows(page.context()), []);

  // The page was made for user-1: pressed by user-2, it begins nothing in either's name.
  await page.goto(demo.site_url);
  await signOut(page);
  await signIn(page, demo, "user-2");
  const pressed = tab.waitForResponse((response) => response.request().method() === "POST");
  await tab.getByRole("button", { name: "Continue" }).click();
  assert.equal((await pressed).status(), 400);
  await tab.getByRole("heading", { name: "This link is not right" }).waitFor();
  assert.match(await tab.locator("main").innerText(), /open the connect link again/);
  assert.deepEqual(await flows(page.context()), []);
  await tab.goto(demo.connect_url);
  await tab.getByRole("button", { name: "Continue" }).waitFor();
  assert.match(await tab.locator("main").innerText(), /signed in as user-2/);
  assert.deepEqual(await connected(), [0, 0]);
});
