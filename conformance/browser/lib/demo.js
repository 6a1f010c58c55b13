// `tessera demo`, started and ended as people do it.

import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const TARGET = fileURLToPath(new URL("../../../target/", import.meta.url));

/** The program: `TESSERA_BIN`, else what cargo built last. */
function program() {
  const places = [process.env.TESSERA_BIN, `${TARGET}debug/tessera`, `${TARGET}release/tessera`];
  const found = places.find((place) => place && existsSync(place));
  if (!found) throw new Error("no tessera: `cargo build` makes one, or TESSERA_BIN says where it is");
  return found;
}

/**
 * Starts a demo on a free port and waits for what it tells a person: `{ site_url, accounts, password, provider_url, … }`,
 * with `stop()`. `settings` are further variables of its environment.
 */
export async function demo({ listen = "127.0.0.1:0", settings = {} } = {}) {
  const child = spawn(program(), ["demo", "--json", "--listen", listen], {
    stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...settings },
  });
  let log = "";
  child.stderr.on("data", (bytes) => (log += bytes));
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
  // Whatever becomes of the tests, no server is left behind.
  const kill = () => child.kill("SIGTERM");
  process.once("exit", kill);
  const stop = async () => {
    process.removeListener("exit", kill);
    kill();
    const how = await ended;
    if (how !== 0) throw new Error(`the demo ended with ${how}:\n${log}`);
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line);
    if (said.site_url) return { ...said, stop };
  }
  throw new Error(`the demo ended with ${await ended} before it was ready:\n${log}`);
}

/** One of the program's other commands, on the machine on which the demo runs. Gives what it printed. */
export async function tessera(demo, ...words) {
  return (await promisify(execFile)(program(), [...words, "--data", demo.data])).stdout;
}
