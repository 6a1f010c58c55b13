// Programs that are started for a test and end with it.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The path of a binary that the environment names. It is never guessed, and nothing is skipped without it. */
function binary(variable, crate) {
    const path = process.env[variable];
    if (!path) {
        throw new Error(`${variable} is not set: build with \`cargo build -p ${crate}\` and set ${variable} to the binary's path`);
    }
    return path;
}

/** The environment without the settings of whoever runs the tests. */
function clean(more) {
    const ours = ([name]) => !/^(TESSERA|HELLO_OAUTH2|HELLO_GOAPP)_/.test(name) && name !== 'RUST_LOG';
    return { ...Object.fromEntries(Object.entries(process.env).filter(ours)), NO_COLOR: '1', ...more };
}

/** Starts a program and waits for the first line, on either output, that `ready` makes something of. */
async function start(path, args, env, ready) {
    const child = spawn(path, args, { env: clean(env), cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] });
    const exited = once(child, 'exit');
    const output = [];
    const found = await new Promise((resolve, reject) => {
        child.once('error', reject);
        for (const stream of [child.stdout, child.stderr]) {
            createInterface({ input: stream }).on('line', (line) => {
                output.push(line);
                const value = ready(line);
                if (value !== undefined) resolve(value);
            });
        }
        exited.then(() => reject(new Error(`${path} did not start:\n${output.join('\n')}`)), reject);
    });
    /** Ends it in an orderly way; gives all that it ever printed. */
    const stop = async () => {
        if (child.exitCode === null) child.kill('SIGTERM');
        const [code, signal] = await exited;
        return { code, signal, output: output.join('\n') };
    };
    return { found, stop };
}

/**
 * The server itself, `tessera serve --dev` on a free port with a fresh folder.
 * `site` is its URL, without a slash at the end; `env` has further settings.
 */
export async function startTessera(env = {}) {
    const path = binary('TESSERA_BIN', 'tessera-server');
    const data = await mkdtemp(join(tmpdir(), 'tessera-conformance-'));
    const args = ['serve', '--dev', '--listen', '127.0.0.1:0', '--data', data];
    const program = await start(path, args, env, (line) => /^tessera ready on (\S+)$/.exec(line)?.[1]);
    const stop = async () => {
        const end = await program.stop();
        await rm(data, { recursive: true, force: true });
        return end;
    };
    return { site: program.found.replace(/\/$/, ''), data, stop };
}

/** The Rust App, hello-oauth2, on a free port. `url` is where it answers. */
export async function startHello(env) {
    const path = binary('HELLO_OAUTH2_BIN', 'hello-oauth2');
    const ready = (line) => /hello-oauth2 is ready.* manifest="?(http\S+?)\/manifest\.json/.exec(line)?.[1];
    const program = await start(path, [], { HELLO_OAUTH2_LISTEN: '127.0.0.1:0', ...env }, ready);
    return { url: program.found, stop: program.stop };
}

/** The Go App is built here where the environment names none that is built. */
async function buildGoapp(folder) {
    const built = join(folder, 'hello-goapp');
    const module = fileURLToPath(new URL('../../go', import.meta.url));
    try {
        await promisify(execFile)('go', ['build', '-buildvcs=false', '-o', built, './cmd/hello-goapp'], { cwd: module });
    } catch (error) {
        throw error.code === 'ENOENT'
            ? new Error('no `go` here to build the Go App with: install Go 1.26, or set HELLO_GOAPP_BIN to a built conformance/go/cmd/hello-goapp')
            : new Error(`the Go App does not build: ${error.stderr || error.message}`);
    }
    return built;
}

/** The Go App, hello-goapp, on a free port; it takes the settings of hello-oauth2. */
export async function startGoapp(env) {
    const folder = await mkdtemp(join(tmpdir(), 'tessera-goapp-'));
    const clear = () => rm(folder, { recursive: true, force: true });
    try {
        const path = process.env.HELLO_GOAPP_BIN || await buildGoapp(folder);
        const program = await start(path, [], env, (line) => /^hello-goapp answers on (\S+)$/.exec(line)?.[1]);
        return { url: program.found, stop: () => program.stop().finally(clear) };
    } catch (error) {
        await clear();
        throw error;
    }
}
