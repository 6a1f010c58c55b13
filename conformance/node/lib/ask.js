// Plain requests, where the client has no method: what was answered, and nothing followed.

export const PLUGIN = '/plugins/com.mattermost.apps';
export const API = `${PLUGIN}/api/v1`;

/** Where a flow of this App begins (`connect`) and ends (`complete`). */
export const flow = (app, end) => `${PLUGIN}/apps/${app}/oauth2/remote/${end}`;

/** Sends a request with `fetch`; `body` is text, or an object for JSON. */
export async function ask(site, method, path, { token, body, headers = {} } = {}) {
    const answer = await fetch(site + path, {
        method,
        redirect: 'manual',
        headers: { ...(token && { Authorization: `Bearer ${token}` }), ...headers },
        body: body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, text, headers: answer.headers, json: () => JSON.parse(text) };
}

/** Status and text, which is what the original's tests look at. */
export const said = (answer) => [answer.status, answer.text];
