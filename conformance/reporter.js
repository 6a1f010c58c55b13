// Prints what happened as cargo's own test runner does, so that whoever counts or reads tests needs to know one form.

import { basename, dirname } from "node:path";
import { inspect } from "node:util";

const seconds = (ms) => `${(ms / 1000).toFixed(2)}s`;

export default async function* report(events) {
  const counts = { passed: 0, failed: 0, ignored: 0 };
  const began = performance.now();
  const failures = [];
  for await (const { type, data } of events) {
    if (type === "test:stderr" || type === "test:stdout") yield data.message;
    if (type !== "test:pass" && type !== "test:fail") continue;
    const room = basename(data.file ?? data.name).replace(/\.test\.js$/, "");
    const isFile = data.name.endsWith(".js");
    // A file is a test of its own only where it could not even be read.
    if (isFile && type === "test:pass") continue;
    const name = isFile ? room : `${program(data.file)}::${room}::${data.name}`;
    const skipped = data.skip !== undefined || data.todo !== undefined;
    if (skipped) counts.ignored += 1;
    else if (type === "test:pass") counts.passed += 1;
    else counts.failed += 1;
    const verdict = skipped ? "ignored" : type === "test:pass" ? "ok" : "FAILED";
    yield `test ${name} ... ${verdict}\n`;
    if (verdict === "FAILED") failures.push(`---- ${name} ----\n${told(data.details?.error)}\n`);
  }
  yield `\n${failures.join("\n")}`;
  const word = counts.failed ? "FAILED" : "ok";
  yield `test result: ${word}. ${counts.passed} passed; ${counts.failed} failed; ${counts.ignored} ignored; `
    + `0 measured; 0 filtered out; finished in ${seconds(performance.now() - began)}\n`;
}

/** The folder of `conformance/` that a test file is of. */
function program(file) {
  return basename(dirname(dirname(file ?? process.cwd())));
}

function told(error) {
  const cause = error?.cause ?? error;
  return cause instanceof Error || typeof cause === "object" ? inspect(cause) : String(cause);
}
