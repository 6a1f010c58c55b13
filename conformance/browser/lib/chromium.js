// Debian's Chromium, driven by playwright-core: nothing is downloaded.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];
/** How long anything in a page may take: a debug build on a busy machine is slow. */
const PATIENCE = Number(process.env.TESSERA_TEST_PATIENCE ?? 30_000);

/** Where Chromium is: `TESSERA_TEST_CHROMIUM`, else what `PATH` has. */
export function executable() {
  if (process.env.TESSERA_TEST_CHROMIUM) return process.env.TESSERA_TEST_CHROMIUM;
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const name of NAMES) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // Not here.
      }
    }
  }
  throw new Error(`no Chromium: \`apt-get install chromium\` brings it, or TESSERA_TEST_CHROMIUM says where it is`);
}

/** A Chromium with a fresh profile, which speaks to nobody but the pages it is sent to; `settings` go into its environment. */
export function launch(settings = {}) {
  return chromium.launch({
    executablePath: executable(),
    env: { ...process.env, ...settings },
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--font-render-hinting=none",
    ],
  });
}

/** A new person at the browser: no cookies, and nothing that another one did. */
export async function profile(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB", ...options });
  context.setDefaultTimeout(PATIENCE);
  if (process.env.TESSERA_CONSOLE) await fromSource(context, process.env.TESSERA_CONSOLE);
  return context;
}

/** The console's files as they lie in a folder, instead of those that were built in: for who is working on them. */
async function fromSource(context, folder) {
  await context.route("**/console/*.{js,css}", (route) =>
    route.fulfill({ path: join(folder, new URL(route.request().url()).pathname.split("/").at(-1)) }));
  await context.route((url) => url.pathname === "/", async (route) => {
    const response = await route.fetch();
    const isConsole = (await response.text()).includes("console/main.js");
    await route.fulfill(isConsole ? { response, path: join(folder, "index.html") } : { response });
  });
}
