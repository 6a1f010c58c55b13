// The client as the web app uses it: cookies instead of a token, and the CSRF token from the readable one.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { API, ask, said } from '../lib/ask.js';
import { startFakeApp } from '../lib/fake-app.js';
import { Client4, install, PASSWORD, signIn } from '../lib/people.js';
import { startTessera } from '../lib/programs.js';

let tessera;
let site;
let fake;
let cookies;

// What the page around the client gives it: `fetch` with a cookie jar and a browser's headers, and `document.cookie`.
const plainFetch = globalThis.fetch;
let origin;

async function browserFetch(url, options) {
    assert.equal(options.credentials, 'include', 'the client asks for cookies');
    const headers = { ...options.headers, Cookie: [...cookies].map(([name, { value }]) => `${name}=${value}`).join('; ') };
    if (options.method.toLowerCase() !== 'get') headers.Origin = origin;
    const answer = await plainFetch(url, { ...options, headers });
    for (const line of answer.headers.getSetCookie()) {
        const [pair, ...attributes] = line.split('; ');
        const [name, value] = pair.split('=');
        if (attributes.includes('Max-Age=0')) cookies.delete(name);
        else cookies.set(name, { value, attributes });
    }
    return answer;
}

before(async () => {
    tessera = await startTessera();
    site = tessera.site;
    origin = site;
    fake = await startFakeApp();
    await install(await signIn(site, 'sysadmin'), fake.manifest('web'));
    globalThis.fetch = browserFetch;
    globalThis.document = {
        get cookie() {
            const readable = [...cookies].filter(([, { attributes }]) => !attributes.includes('HttpOnly'));
            return readable.map(([name, { value }]) => `${name}=${value}`).join('; ');
        },
    };
});

after(async () => {
    globalThis.fetch = plainFetch;
    delete globalThis.document;
    const end = await tessera.stop();
    await fake.stop();
    assert.equal(end.code, 0, end.output);
});

/** A page that was loaded anew: it has cookies and no token. */
async function reloaded() {
    cookies = new Map();
    origin = site;
    const first = new Client4();
    first.setUrl(site);
    const me = await first.login('user-1', PASSWORD);
    const page = new Client4();
    page.setUrl(site);
    page.setUserId(me.id);
    return { page, me };
}

test('the_cookies_of_a_sign_in_are_the_web_apps', async () => {
    const { me } = await reloaded();
    assert.deepEqual([...cookies.keys()].sort(), ['MMAUTHTOKEN', 'MMCSRF', 'MMUSERID']);
    assert.equal(cookies.get('MMUSERID').value, me.id);
    assert.ok(cookies.get('MMAUTHTOKEN').attributes.includes('HttpOnly'));
    for (const name of ['MMCSRF', 'MMUSERID']) assert.ok(!cookies.get(name).attributes.includes('HttpOnly'), name);
    for (const { attributes } of cookies.values()) {
        assert.ok(attributes.includes('Path=/') && attributes.some((one) => /^SameSite=(Lax|Strict)$/.test(one)), attributes);
    }
});

test('os_57_reads_need_the_cookie_and_writes_the_csrf_token_too', async () => {
    const { page, me } = await reloaded();
    assert.equal(page.getCSRFFromCookie(), cookies.get('MMCSRF').value);
    assert.equal((await page.getMe()).id, me.id);
    const [team] = await page.getMyTeams();
    const channel = await page.getChannelByName(team.id, 'town-square');
    const post = await page.createPost({ channel_id: channel.id, message: 'By cookie' });
    assert.equal(post.user_id, me.id);
    const list = await page.getAppsBindings(channel.id, team.id);
    assert.equal(list, null);
    const answer = await page.executeAppCall({ path: '/do', context: { app_id: 'web' } }, true);
    assert.deepEqual([answer.type, answer.app_metadata.bot_username], ['ok', 'web']);

    // A token that is not the session's proves nothing, and neither does nothing.
    page.setCSRF('x'.repeat(26));
    const calls = fake.calls('/do').length;
    const refused = await page.executeAppCall({ path: '/do', context: { app_id: 'web' } }, true);
    assert.deepEqual([refused.type, refused.text], ['error', 'user ID is required: unauthorized']);
    const failed = await page.createPost({ channel_id: channel.id, message: 'Forged' }).catch((error) => error);
    assert.equal(failed.status_code, 401);
    const Cookie = `MMAUTHTOKEN=${cookies.get('MMAUTHTOKEN').value}`;
    const body = { path: '/do', context: { app_id: 'web' } };
    globalThis.fetch = plainFetch;
    try {
        const bare = await ask(site, 'POST', `${API}/call`, { headers: { Cookie }, body });
        assert.equal(bare.json().text, 'user ID is required: unauthorized');
    } finally {
        globalThis.fetch = browserFetch;
    }
    assert.equal(fake.calls('/do').length, calls, 'the App was not reached');
});

test('os_57_a_page_of_another_site_can_neither_sign_in_nor_write_with_the_cookie', async () => {
    const { page } = await reloaded();
    origin = 'https://evil.example';
    const answer = await page.executeAppCall({ path: '/do', context: { app_id: 'web' } }, true).catch((error) => error);
    assert.ok(answer instanceof Error || answer.type === 'error', JSON.stringify(answer));
    assert.deepEqual(fake.calls('/do').filter(({ json }) => json.context.acting_user), []);
    const stranger = new Client4();
    stranger.setUrl(site);
    cookies = new Map();
    const failed = await stranger.login('user-1', PASSWORD).catch((error) => error);
    assert.ok(failed instanceof Error, JSON.stringify(failed));
    assert.equal(cookies.size, 0);
});

test('signing_out_takes_the_cookies_away', async () => {
    const { page } = await reloaded();
    const Cookie = `MMAUTHTOKEN=${cookies.get('MMAUTHTOKEN').value}`;
    assert.equal((await page.logout()).status, 200);
    assert.equal(cookies.size, 0);
    assert.equal((await page.getMe().catch((error) => error)).status_code, 401);
    globalThis.fetch = plainFetch;
    const old = await ask(site, 'GET', '/api/v4/users/me', { headers: { Cookie } });
    globalThis.fetch = browserFetch;
    assert.equal(old.status, 401, 'the old cookie is worth nothing');
});

test('c_oa_24_a_browsers_cookie_reads_no_record', async () => {
    await reloaded();
    const Cookie = `MMAUTHTOKEN=${cookies.get('MMAUTHTOKEN').value}`;
    globalThis.fetch = plainFetch;
    const answer = await ask(site, 'GET', `${API}/oauth2/user`, { headers: { Cookie } });
    globalThis.fetch = browserFetch;
    assert.deepEqual(said(answer), [401, 'not an app session: unauthorized\n']);
});
