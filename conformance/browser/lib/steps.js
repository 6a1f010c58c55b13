// What a person does in a browser, by what can be seen and read there.

/** Signs in from the front page and waits for the console. */
export async function signIn(page, demo, name = "user-1") {
  await page.goto(demo.site_url);
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByLabel("User name or e-mail").fill(name);
  await page.getByLabel("Password").fill(demo.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await ready(page);
}

/** Waits until the console can be typed into. */
export async function ready(page) {
  await page.waitForSelector("#line:not([disabled])");
}

/** The line at the bottom. */
export const line = (page) => page.getByRole("combobox", { name: "Message or command" });

/** Types a command and sends it. */
export async function command(page, text) {
  const field = line(page);
  await field.fill(text);
  // With a suggestion chosen Enter would take it; without one it sends.
  await field.press("Enter");
}

/** The newest answer in the log that has this text, or matches it. */
export const answer = (page, text) => page.locator("#log .message").filter({ hasText: text }).last();

/** At the provider: signs in, unless this browser did before; the question comes next. */
export async function signInThere(page, demo, account = demo.provider_accounts[0]) {
  const name = page.getByLabel("Name");
  await name.or(page.getByRole("button", { name: "Allow" })).first().waitFor();
  if (!(await name.isVisible())) return;
  await name.fill(account);
  await page.getByLabel("Password").fill(demo.provider_password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Allow" }).waitFor();
}

/** At the provider: signs in and says yes, or no. */
export async function consent(page, demo, { account, decision = "Allow" } = {}) {
  await signInThere(page, demo, account);
  await page.getByRole("button", { name: decision, exact: true }).click();
}

/** Opens an App's connect address, as a link in a mail would, in a tab of its own. */
export async function openConnect(context, address) {
  const tab = await context.newPage();
  await tab.goto(address);
  return tab;
}

/** Says yes on the confirm page, if there is one: who is connected already is not asked. */
export async function goOn(tab) {
  const button = tab.getByRole("button", { name: "Continue" });
  if (await button.isVisible()) await button.click();
}

/** The whole way for somebody who is signed in: confirm, provider, back. Gives the tab with the closing page. */
export async function connect(context, demo, options) {
  const tab = await openConnect(context, demo.connect_url);
  await goOn(tab);
  await consent(tab, demo, options);
  await tab.getByRole("heading", { name: "is connected" }).waitFor();
  return tab;
}

/** Says yes at the provider, and gives the address with which it sends the browser back, still unopened. */
export async function held(tab, demo, options) {
  let address;
  const consents = "**/consent";
  await tab.route(consents, async (route) => {
    const answer = await route.fetch({ maxRedirects: 0 });
    address = answer.headers().location;
    await route.fulfill({ contentType: "text/html", body: "<title>held</title>held" });
  });
  await consent(tab, demo, options);
  await tab.getByText("held").waitFor();
  await tab.unroute(consents);
  return address;
}

/** Signs out from the console, which leaves every tab of this browser without a session. */
export async function signOut(page) {
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("link", { name: "Sign in" }).waitFor();
}

/** Fills in the sign-in page that one came to on the way to somewhere else. */
export async function signInOnTheWay(page, demo, name) {
  await page.getByLabel("User name or e-mail").fill(name);
  await page.getByLabel("Password").fill(demo.password);
  await page.getByRole("button", { name: "Sign in" }).click();
}
