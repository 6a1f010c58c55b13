// An App that records what it hears and answers as told.

import { once } from 'node:events';
import { createServer } from 'node:http';

/** All that Apps of tests may do. */
export const PERMISSIONS = ['act_as_bot', 'act_as_user', 'remote_oauth2'];

export async function startFakeApp() {
    const calls = [];
    const answers = new Map();
    const waiting = [];
    const server = createServer(async (request, response) => {
        const chunks = [];
        for await (const chunk of request) chunks.push(chunk);
        const text = Buffer.concat(chunks).toString();
        const path = request.url.split('?')[0];
        const call = { method: request.method, url: request.url, path, headers: request.headers, text };
        call.json = text === '' ? undefined : JSON.parse(text);
        calls.push(call);
        for (const [index, [wanted, resolve]] of [...waiting.entries()].reverse()) {
            if (wanted === path) {
                waiting.splice(index, 1);
                resolve(call);
            }
        }
        const answer = answers.get(path) ?? { type: 'ok' };
        try {
            const body = typeof answer === 'function' ? await answer(call.json, call) : answer;
            response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
        } catch (error) {
            // Seen by the server as an App that fails, and so by the test.
            response.writeHead(500).end(String(error));
        }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${server.address().port}`;
    return {
        url,
        /** Answers calls to a path like this from now on: a value, or what a function makes of the call. */
        answer: (path, answer) => answers.set(path, answer),
        /** The calls to a path so far. */
        calls: (path) => calls.filter((call) => call.path === path),
        /** The next call to a path. */
        next: (path) => new Promise((resolve) => waiting.push([path, resolve])),
        manifest: (id, more = {}) => ({
            app_id: id,
            version: 'v1.0.0',
            homepage_url: 'https://hello.example.com',
            display_name: `The App ${id}`,
            requested_permissions: PERMISSIONS,
            requested_locations: ['/command'],
            http: { root_url: url },
            ...more,
        }),
        stop: () => new Promise((resolve) => {
            server.close(resolve);
            server.closeAllConnections();
        }),
    };
}
