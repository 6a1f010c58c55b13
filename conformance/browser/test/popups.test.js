// Where the connect address may be opened, and how a person gets back from there to the console.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connections, person } from "../lib/site.js";
import { answer, command, consent, goOn, ready, signInThere } from "../lib/steps.js";
import { stage } from "../lib/stage.js";

const set = stage();
const COMPLETE = /\/oauth2\/remote\/complete\?/;

const ended = async (demo, name) => (await person(demo, name)).del("plugins/com.mattermost.apps/tessera/v1/connections/hello-oauth2");
const connected = async (demo, name) => (await connections(await person(demo, name))).length;

/** A link of the console itself to this address, as somebody's own front end might have one. */
const link = (page, href, attributes = {}) => page.evaluate(([address, more]) => {
  const element = Object.assign(document.createElement("a"), { id: "here", href: address, textContent: "connect here", ...more });
  document.querySelector("#here")?.remove();
  document.querySelector("#channel").after(element);
}, [href, attributes]);

const clickOn = (attributes) => async (page, address) => {
  await link(page, address, attributes);
  await page.getByRole("link", { name: "connect here" }).click();
};

/** Ways to a window of its own which does not know who opened it: the console's way, and what browsers do by themselves. */
const ALONE = {
  "the_link_of_an_answer": async (page) => {
    await command(page, "/hello-oauth2 connect");
    await answer(page, "Connect your account").getByRole("link").click();
  },
  "a_link_to_another_tab": clickOn({ target: "_blank" }),
};
/** All ways: with the others, whoever opens the window wants it to know. */
const WAYS = {
  ...ALONE,
  "a_link_to_a_named_tab": clickOn({ target: "named", rel: "opener" }),
  "a_pop_up": (page, address) => page.evaluate((url) => { window.other = open(url, "connect", "popup,width=500,height=700"); }, address),
  "a_tab_of_a_script": (page, address) => page.evaluate((url) => { window.other = open(url); }, address),
  "an_empty_tab_that_is_led_there_later": (page, address) => page.evaluate((url) => {
    window.other = open("about:blank", "later");
    window.other.location = url;
  }, address),
};

for (const [way, open] of Object.entries(WAYS)) {
  test(`os_17_connecting_by_${way}_ends_with_that_window_closed_and_the_console_at_work`, async (t) => {
    const { demo } = set;
    const page = await set.signedIn(t);
    await page.evaluate(() => { window.sameDocument = true; });
    // Who has just signed in is asked; after that the browser vouches for the console, and the provider is what opens.
    for (const isAsked of [true, false]) {
      await command(page, "/hello-oauth2 send");
      await answer(page, "You are not connected").waitFor();
      const opened = page.context().waitForEvent("page");
      await open(page, demo.connect_url);
      const popup = await opened;
      const closed = popup.waitForEvent("close");
      if (isAsked) {
        await popup.getByRole("heading", { name: "Connect an account with Hello, OAuth2!" }).waitFor();
        await popup.getByRole("button", { name: "Continue" }).click();
      }
      await popup.waitForURL(`${demo.provider_url}/**`);
      if (isAsked || way in ALONE) {
        assert.equal(await popup.evaluate(() => window.opener), null, "the provider has no hold on the console");
      }
      const closing = popup.waitForResponse(COMPLETE);
      await consent(popup, demo, { account: "ada" });
      assert.equal((await closing).status(), 200);
      await closed;
      assert.deepEqual(page.context().pages(), [page]);

      // Nobody has to reload anything.
      await command(page, "/hello-oauth2 send");
      await answer(page, "Your calendars").waitFor();
      assert.ok(await page.evaluate(() => window.sameDocument));
      await ended(demo, "user-1");
      await page.locator("#log").evaluate((log) => log.replaceChildren());
    }
  });
}

test("os_16_a_window_that_cannot_close_itself_says_that_it_can_be_closed", async (t) => {
  const { demo } = set;
  const page = await set.signedIn(t);
  const opened = page.context().waitForEvent("page");
  await page.evaluate((url) => { window.other = open(url, "connect", "popup"); }, demo.connect_url);
  const popup = await opened;
  await popup.addInitScript(() => { window.close = () => {}; });
  await popup.getByRole("button", { name: "Continue" }).click();
  await consent(popup, demo, { account: "ada" });
  await popup.getByRole("heading", { name: "Hello, OAuth2! is connected" }).waitFor();
  assert.ok(await popup.getByText("Please close this window.").isVisible());
  assert.equal(await popup.evaluate(() => window.opener), null);
  // Before it is closed, and after.
  for (const close of [() => {}, () => popup.close()]) {
    await close();
    await command(page, "/hello-oauth2 send");
    await answer(page, "Your calendars").waitFor();
    await page.locator("#log").evaluate((log) => log.replaceChildren());
  }
  await ended(demo, "user-1");
});

test("a_pop_up_that_is_closed_half_way_leaves_the_console_at_work_and_nothing_connected", async (t) => {
  const { demo } = set;
  const page = await set.signedIn(t);
  // At the confirm page, at the provider before signing in, and with its question on the screen.
  const asks = (popup) => popup.getByRole("button", { name: "Continue" });
  const steps = [
    (popup) => asks(popup).waitFor(),
    async (popup) => {
      await asks(popup).click();
      await popup.getByLabel("Name").waitFor();
    },
    // Who went on once is not asked again.
    (popup) => signInThere(popup, demo, "ada"),
  ];
  for (const step of steps) {
    const opened = page.context().waitForEvent("page");
    await page.evaluate((url) => { window.other = open(url, "connect", "popup"); }, demo.connect_url);
    const popup = await opened;
    await step(popup);
    await popup.close();
    await command(page, "/hello-oauth2 send");
    await answer(page, "You are not connected").waitFor();
    await page.locator("#log").evaluate((log) => log.replaceChildren());
  }
  assert.equal(await connected(demo, "user-1"), 0);
});

test("connecting_in_the_same_tab_ends_on_a_page_that_leads_back_to_the_console", async (t) => {
  const { demo } = set;
  const page = await set.signedIn(t, "user-2");
  await link(page, demo.connect_url);
  await page.getByRole("link", { name: "connect here" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
  await consent(page, demo, { account: "grace" });
  await page.getByRole("heading", { name: "Hello, OAuth2! is connected" }).waitFor();
  assert.ok(await page.getByText("Please close this window.").isVisible(), "a tab with a past of its own stays");
  await page.getByRole("link", { name: "Back to the site" }).click();
  await ready(page);
  assert.equal(page.url(), `${demo.site_url}/`);
  await command(page, "/hello-oauth2 send");
  await answer(page, "Your calendars").waitFor();

  // Who goes back through all of it to the console does no harm by it.
  await page.goBack();
  await page.getByRole("link", { name: "Back to the site" }).click();
  await ready(page);
  assert.equal(await connected(demo, "user-2"), 1);
  await ended(demo, "user-2");
});

test("who_turns_back_or_says_no_in_the_same_tab_is_led_back_to_the_console_too", async (t) => {
  const { demo } = set;
  const page = await set.signedIn(t, "user-2");
  await link(page, demo.connect_url);
  await page.getByRole("link", { name: "connect here" }).click();
  await page.getByRole("link", { name: "Not now" }).click();
  await ready(page);
  await page.goto(demo.connect_url);
  await goOn(page);
  await consent(page, demo, { account: "grace", decision: "Deny" });
  await page.getByRole("heading", { name: "Nothing was connected" }).waitFor();
  assert.ok(await page.getByText("You can close this window").isVisible());
  await page.getByRole("link", { name: "Back to the site" }).click();
  await ready(page);
  await command(page, "/hello-oauth2 send");
  await answer(page, "You are not connected").waitFor();
  assert.equal(await connected(demo, "user-2"), 0);
});
