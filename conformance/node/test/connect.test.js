// Connect and complete, seen by plain `fetch` with a person's token: what the App hears, and what comes back.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { API, ask, flow, said } from '../lib/ask.js';
import { startFakeApp } from '../lib/fake-app.js';
import { apps, contextOf, install, signIn, tokensOf } from '../lib/people.js';
import { startTessera } from '../lib/programs.js';

const APP = 'connecting';
const MISMATCH = [403, 'state mismatch: forbidden\n'];
const DEFAULT_EXPAND = { acting_user: 'summary', acting_user_access_token: 'all', oauth2_app: 'all' };

let tessera;
let site;
let fake;
let user;
let admin;

before(async () => {
    tessera = await startTessera();
    site = tessera.site;
    fake = await startFakeApp();
    [user, admin] = await Promise.all(['user-1', 'sysadmin'].map((name) => signIn(site, name)));
    leads();
    await install(admin, fake.manifest(APP));
});

after(async () => {
    const end = await tessera.stop();
    await fake.stop();
    assert.equal(end.code, 0, end.output);
    for (const secret of ['planted-secret', 'planted-code']) assert.ok(!end.output.includes(secret), `${secret} is in the log`);
});

/** The App leads to its provider, as it should. */
const leads = (path = '/oauth2/connect') => fake.answer(path, (call) => (
    { type: 'ok', data: `https://provider.example/a?client_id=cid&state=${call.values.state}` }
));

const connect = (person, app = APP) => ask(site, 'GET', flow(app, 'connect'), { token: person.getToken() });
const complete = (person, query, app = APP) => (
    ask(site, 'GET', `${flow(app, 'complete')}?${new URLSearchParams(query)}`, { token: person.getToken() })
);

/** Begins a flow; gives its state. */
async function begin(person, app = APP) {
    const answer = await connect(person, app);
    assert.equal(answer.status, 307, answer.text);
    return new URL(answer.headers.get('location')).searchParams.get('state');
}

const completions = () => fake.calls('/oauth2/complete').length;

test('c_oc_01_connect_asks_the_app_and_leads_to_its_url', async () => {
    const { bot } = await tokensOf(user, fake, APP);
    const body = { client_id: 'cid', client_secret: 'planted-secret' };
    assert.deepEqual(said(await ask(site, 'POST', `${API}/oauth2/app`, { token: bot, body })), [200, '']);
    const answer = await connect(user);
    const call = fake.calls('/oauth2/connect').pop().json;
    const { state } = call.values;
    assert.match(state, new RegExp(`^[A-Za-z0-9_-]{43}\\.${user.id}$`));
    assert.deepEqual([call.path, call.values, call.expand, call.state], ['/oauth2/connect', { state }, DEFAULT_EXPAND, undefined]);
    const { context } = call;
    assert.deepEqual(context.oauth2, {
        ...body, connect_url: site + flow(APP, 'connect'), complete_url: site + flow(APP, 'complete'),
    });
    assert.equal(context.acting_user.id, user.id);
    assert.match(context.acting_user_access_token, /^[a-z0-9]{26}$/);
    assert.deepEqual([context.user_agent, context.subject], [undefined, undefined]);

    const url = `https://provider.example/a?client_id=cid&state=${state}`;
    assert.deepEqual(said(answer), [307, `<a href="${url.replace('&', '&amp;')}">Temporary Redirect</a>.\n\n`]);
    assert.equal(answer.headers.get('location'), url);
    assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.deepEqual(answer.headers.getSetCookie(), [], 'a token of one’s own needs no cookie');
});

test('c_oc_02_an_answer_without_a_type_is_a_success', async (t) => {
    t.after(() => leads());
    fake.answer('/oauth2/connect', (call) => ({ data: `https://provider.example/?state=${call.values.state}` }));
    assert.equal((await connect(user)).status, 307);
});

test('c_oc_03_an_answer_whose_data_is_no_string_is_an_error', async (t) => {
    t.after(() => leads());
    for (const [data, name] of [
        [{ url: 'https://a.example' }, 'map[string]interface {}'], [null, '<nil>'], [true, 'bool'], [1.5, 'float64'],
        [[], '[]interface {}'],
    ]) {
        fake.answer('/oauth2/connect', { type: 'ok', data });
        const text = `oauth2: unexpected data type from the app: ${name}, expected string (connect URL)\n`;
        assert.deepEqual(said(await connect(user)), [500, text]);
    }
});

test('c_oc_04_an_answer_of_another_type_is_an_error', async (t) => {
    t.after(() => leads());
    for (const type of ['form', 'navigate', 'call']) {
        fake.answer('/oauth2/connect', { type, data: 'https://a.example' });
        assert.deepEqual(said(await connect(user)), [500, `oauth2: unexpected response type from the app: "${type}"\n`]);
    }
});

test('c_oc_05_an_error_of_the_app_is_passed_on', async (t) => {
    t.after(() => leads());
    fake.answer('/oauth2/connect', { type: 'error', text: 'boom' });
    assert.deepEqual(said(await connect(user)), [500, 'boom\n']);
});

test('c_oc_06_an_app_without_the_permission_connects_nobody', async () => {
    await install(admin, fake.manifest('plain', { requested_permissions: ['act_as_bot', 'act_as_user'] }));
    const before = fake.calls('/oauth2/connect').length;
    assert.deepEqual(said(await connect(user, 'plain')), [401, 'plain is not authorized to use OAuth2\n']);
    const text = 'plain is not authorized to use remote OAuth2: unauthorized\n';
    assert.deepEqual(said(await complete(user, { code: 'c', state: 's' }, 'plain')), [401, text]);
    assert.equal(fake.calls('/oauth2/connect').length, before);
});

test('c_oc_07_an_app_that_is_not_there_or_disabled_connects_nobody', async () => {
    await install(admin, fake.manifest('resting'));
    const state = await begin(user, 'resting');
    await apps(admin, '/disable-app', { app_id: 'resting' });
    const [connects, before] = [fake.calls('/oauth2/connect').length, completions()];
    for (const [app, status] of [['nobody', 404], ['resting', 403]]) {
        assert.equal((await connect(user, app)).status, status, app);
        assert.equal((await complete(user, { code: 'c', state }, app)).status, status, app);
    }
    assert.deepEqual([fake.calls('/oauth2/connect').length, completions()], [connects, before]);
    await apps(admin, '/enable-app', { app_id: 'resting' });
    assert.equal((await complete(user, { code: 'c', state }, 'resting')).status, 200, 'what was refused was not spent');
});

test('c_oc_08_complete_tells_the_app_and_closes_the_window', async () => {
    const state = await begin(user);
    const answer = await complete(user, { code: 'c/1 2', state, scope: 'a b', empty: '' });
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.headers.get('content-type'), /^text\/html/);
    assert.ok(answer.text.includes('Completed connecting your account. Please close this window.'));
    assert.ok(answer.text.includes('window.close()'));
    const call = fake.calls('/oauth2/complete').pop().json;
    assert.equal(call.path, '/oauth2/complete');
    assert.deepEqual(call.values, { code: 'c/1 2', state, scope: 'a b', empty: '' });
    assert.deepEqual(call.expand, { ...DEFAULT_EXPAND, oauth2_user: 'all' });
    assert.equal(call.context.oauth2.user, undefined, 'nothing was stored before');
    assert.equal(call.context.acting_user.id, user.id);
});

test('c_oc_09_os_03_of_many_callbacks_with_one_state_one_wins', async () => {
    const query = { code: 'c', state: await begin(user) };
    const before = completions();
    const answers = await Promise.all(Array.from({ length: 50 }, () => complete(user, query)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    for (const answer of answers.filter(({ status }) => status !== 200)) assert.deepEqual(said(answer), MISMATCH);
    assert.deepEqual(said(await complete(user, query)), MISMATCH, 'and later none');
    assert.equal(completions(), before + 1);
});

test('c_oc_10_without_a_state_nothing_completes', async () => {
    const before = completions();
    for (const query of [{ code: 'c' }, { code: 'c', state: '' }, {}]) {
        assert.deepEqual(said(await complete(user, query)), [401, 'no state arg in the URL: unauthorized\n']);
    }
    assert.equal(completions(), before);
});

test('c_oc_11_another_users_state_is_forbidden_and_works_for_its_owner', async () => {
    const query = { code: 'c', state: await begin(user) };
    const before = completions();
    assert.deepEqual(said(await complete(admin, query)), [403, 'forbidden\n']);
    assert.equal(completions(), before);
    assert.equal((await complete(user, query)).status, 200);
});

test('os_02_a_state_of_one_app_is_refused_by_another', async () => {
    await install(admin, fake.manifest('neighbour'));
    const query = { code: 'c', state: await begin(user) };
    const before = completions();
    assert.deepEqual(said(await complete(user, query, 'neighbour')), MISMATCH);
    assert.equal(completions(), before);
    assert.equal((await complete(user, query)).status, 200, 'and is still good where it belongs');
});

test('c_oc_13_an_error_of_the_app_on_complete_is_passed_on_and_the_state_is_spent', async (t) => {
    t.after(() => fake.answer('/oauth2/complete', { type: 'ok' }));
    for (const [answer, text] of [
        [{ type: 'error', text: 'no such code' }, 'no such code\n'],
        [{ type: 'form' }, 'oauth2: unexpected response type from the app: "form"\n'],
    ]) {
        fake.answer('/oauth2/complete', answer);
        const query = { code: 'c', state: await begin(user) };
        assert.deepEqual(said(await complete(user, query)), [500, text]);
        fake.answer('/oauth2/complete', { type: 'ok' });
        assert.deepEqual(said(await complete(user, query)), MISMATCH);
    }
});

test('c_oc_14_os_13_a_refusal_of_the_provider_reaches_the_app_without_a_code', async () => {
    const state = await begin(user);
    const error = { error: 'access_denied', error_description: 'no <b>thanks' };
    const answer = await complete(user, { ...error, code: 'planted-code', state });
    assert.equal(answer.status, 200, answer.text);
    assert.ok(answer.text.includes('<code>access_denied</code>') && !answer.text.includes('<b>'), answer.text);
    assert.deepEqual(fake.calls('/oauth2/complete').pop().json.values, { ...error, state });
    assert.deepEqual(said(await complete(user, { ...error, state })), MISMATCH);
});

test('os_12_the_issuer_reaches_the_app_unchanged', async () => {
    const state = await begin(user);
    const iss = 'https://idp.example/a?b=c&d';
    assert.equal((await complete(user, { code: 'c', iss, state })).status, 200);
    assert.deepEqual(fake.calls('/oauth2/complete').pop().json.values, { code: 'c', iss, state });
});

test('c_oc_15_an_overridden_path_keeps_the_default_expand', async () => {
    const paths = { get_oauth2_connect_url: { path: '/begin/here' }, on_oauth2_complete: { path: '/end/here' } };
    await install(admin, fake.manifest('moved', paths));
    leads('/begin/here');
    const state = await begin(user, 'moved');
    const call = fake.calls('/begin/here').pop().json;
    assert.deepEqual([call.path, call.expand], ['/begin/here', DEFAULT_EXPAND]);
    assert.equal((await complete(user, { code: 'c', state }, 'moved')).status, 200);
    assert.deepEqual(fake.calls('/end/here').pop().json.expand, { ...DEFAULT_EXPAND, oauth2_user: 'all' });
});

test('c_oc_16_what_the_app_stores_while_completing_is_there_at_the_next_call', async (t) => {
    t.after(() => fake.answer('/oauth2/complete', { type: 'ok' }));
    const record = { access_token: 'at-1', expiry: '2030-01-02T15:04:05Z' };
    fake.answer('/oauth2/complete', async ({ context }) => {
        const answer = await ask(site, 'POST', `${API}/oauth2/user`, { token: context.acting_user_access_token, body: record });
        return answer.status === 200 ? { type: 'ok' } : { type: 'error', text: answer.text };
    });
    assert.equal((await complete(user, { code: 'c', state: await begin(user) })).status, 200);
    assert.deepEqual((await contextOf(user, fake, APP)).oauth2.user, record);
    assert.equal((await complete(user, { code: 'd', state: await begin(user) })).status, 200);
    assert.deepEqual(fake.calls('/oauth2/complete').pop().json.context.oauth2.user, record, 'connecting again shows it too');
});

test('os_08_a_url_that_leads_astray_is_refused', async (t) => {
    t.after(() => leads());
    for (const url of [
        (state) => `javascript:alert('${state}')`, (state) => `//host.example/?state=${state}`,
        (state) => `https://a@host.example/?state=${state}`, (state) => `https://host.example/?state=${state}#x`,
        () => 'https://host.example/', (state) => `https://host.example/?state=${state}&state=${state}`,
        (state) => `/relative?state=${state}`, (state) => `ftp://host.example/?state=${state}`,
    ]) {
        fake.answer('/oauth2/connect', (call) => ({ type: 'ok', data: url(call.values.state) }));
        const answer = await connect(user);
        assert.equal(answer.status, 502, `${url('s')}: ${answer.text}`);
        assert.equal(answer.headers.get('location'), null);
    }
});

test('os_14_os_15_repeated_long_and_token_arguments_are_refused_and_consume_nothing', async () => {
    const state = await begin(user);
    const before = completions();
    for (const query of [
        `code=c&state=${state}&state=${state}`, `code=c&state=${state}&st%61te=other`, `code=a&code=b&state=${state}`,
        `code=c&state=${state}&iss=a&iss=a`, `code=c&state=${state}&error=a&error=b`,
        `code=${'x'.repeat(4097)}&state=${state}`, `state=${state}${'&a=b'.repeat(2048)}`,
        `access_token=t&state=${state}`, `code=c&state=${state}&access%5Ftoken=`,
    ]) {
        const answer = await complete(user, query);
        assert.equal(answer.status, 400, `${query.slice(0, 120)}: ${answer.text}`);
    }
    assert.equal(completions(), before);
    assert.equal((await complete(user, { code: 'c', state })).status, 200);
});

test('tokens_of_apps_and_nobody_connect_nothing', async () => {
    const { user: asUser, bot } = await tokensOf(user, fake, APP);
    for (const path of [flow(APP, 'connect'), `${flow(APP, 'complete')}?code=c&state=s`]) {
        assert.deepEqual(said(await ask(site, 'GET', path)), [401, 'user ID is required: unauthorized\n'], path);
        for (const token of [asUser, bot]) assert.equal((await ask(site, 'GET', path, { token })).status, 403, path);
    }
});

test('c_oc_12_os_04_a_state_that_is_older_than_its_life_is_a_mismatch', async (t) => {
    // The shortest life there is: no state outlives it, and nothing has to be waited for but the clock's next second.
    const short = await startTessera({ TESSERA_CONNECT__STATE_LIFE_SECONDS: '1' });
    t.after(() => short.stop());
    const [person, root] = await Promise.all(['user-1', 'sysadmin'].map((name) => signIn(short.site, name)));
    await install(root, fake.manifest(APP));
    const token = person.getToken();
    const begun = await ask(short.site, 'GET', flow(APP, 'connect'), { token });
    const since = Date.now();
    const state = new URL(begun.headers.get('location')).searchParams.get('state');
    const before = completions();
    while (Date.now() - since <= 1100) await person.ping(false);
    const late = await ask(short.site, 'GET', `${flow(APP, 'complete')}?code=c&state=${state}`, { token });
    assert.deepEqual(said(late), MISMATCH);
    assert.equal(completions(), before);
});
