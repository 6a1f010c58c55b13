// A demo and a browser for the tests of one file.

import { after, before } from "node:test";
import { launch, profile } from "./chromium.js";
import { demo } from "./demo.js";
import { signIn } from "./steps.js";

/** Both, from the first test to the last: `{ demo, browser }` is filled in when tests run. */
export function stage(options) {
  const set = { demo: undefined, browser: undefined };
  before(async () => {
    [set.demo, set.browser] = await Promise.all([demo(options), launch()]);
  });
  after(async () => {
    await set.browser?.close();
    await set.demo?.stop();
  });
  /** A page of somebody who has just signed in; `t` is the test that it ends with. */
  set.signedIn = async (t, name = "user-1", options = {}) => {
    const page = await set.fresh(t, options);
    await signIn(page, set.demo, name);
    return page;
  };
  /** A page of a browser that nobody used before. */
  set.fresh = async (t, options = {}) => {
    const context = await profile(set.browser, options);
    t.after(() => context.close());
    return context.newPage();
  };
  return set;
}
