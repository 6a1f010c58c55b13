// The OAuth2 store routes, seen by plain `fetch` with the tokens that an App was handed.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { API, ask, said } from '../lib/ask.js';
import { PERMISSIONS, startFakeApp } from '../lib/fake-app.js';
import { apps, contextOf, install, recordOf, signIn, tokensOf } from '../lib/people.js';
import { startTessera } from '../lib/programs.js';

const APP = 'storing';
const [ON_APP, ON_USER] = [`${API}/oauth2/app`, `${API}/oauth2/user`];
const TOO_LARGE = [413, 'size limit of 8Kb exceeded\n'];
const UNKNOWN = [401, 'user ID is required: unauthorized\n'];

let tessera;
let site;
let fake;
let user;
let other;
let admin;

/** The site of one profile, with its people and its App. */
async function stage(env) {
    const server = await startTessera(env);
    const people = await Promise.all(['user-1', 'user-2', 'sysadmin'].map((name) => signIn(server.site, name)));
    await install(people[2], fake.manifest(APP));
    return { server, people };
}

before(async () => {
    fake = await startFakeApp();
    const set = await stage({});
    tessera = set.server;
    site = tessera.site;
    [user, other, admin] = set.people;
});

after(async () => {
    const end = await tessera.stop();
    await fake.stop();
    assert.equal(end.code, 0, end.output);
    assert.ok(!end.output.includes('planted'), 'a secret is in the log');
});

const store = (path, token, body, method = 'POST', at = site) => ask(at, method, path, { token, body });
const stored = async (...given) => assert.deepEqual(said(await store(...given)), [200, '']);

test('c_oa_01_a_record_is_read_back_as_the_same_object_byte_for_byte', async () => {
    const { user: token } = await tokensOf(user, fake, APP);
    const body = '{"token": "planted-\\u003c",\n "n": 12345678901234567890, "lone": "\\ud800"}';
    await stored(ON_USER, token, body);
    const answer = await ask(site, 'GET', ON_USER, { token });
    assert.deepEqual(said(answer), [200, body]);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
});

test('c_oa_02_c_oa_03_an_administrators_call_stores_the_app_record_and_calls_expand_it', async () => {
    const app = {
        remote_root_url: 'https://idp.example.net', client_id: 'cid', client_secret: 'planted&<1>', data: { scopes: ['a', 'b'] },
    };
    const root = await tokensOf(admin, fake, APP);
    await stored(ON_APP, root.user, app);
    const { user: token } = await tokensOf(user, fake, APP);
    await stored(ON_USER, token, { token: 'mine' });
    const { oauth2 } = await contextOf(user, fake, APP);
    const { connect_url: connect, complete_url: complete, ...rest } = oauth2;
    assert.deepEqual(rest, { ...app, user: { token: 'mine' } });
    assert.ok(connect.startsWith(site) && complete.startsWith(site));
});

test('c_oa_04_c_oa_05_c_oa_06_without_a_token_nothing_is_stored_or_read', async () => {
    for (const [method, path] of [['POST', ON_USER], ['PUT', ON_USER], ['GET', ON_USER], ['POST', ON_APP], ['PUT', ON_APP]]) {
        const body = method === 'GET' ? undefined : '{}';
        for (const token of [undefined, 'x'.repeat(26)]) {
            assert.deepEqual(said(await ask(site, method, path, { token, body })), UNKNOWN, `${method} ${path}`);
        }
    }
});

test('c_oa_07_c_oa_09_c_oa_23_bodies_have_8192_bytes_at_most', async () => {
    const { user: token } = await tokensOf(user, fake, APP);
    const largest = `"${'x'.repeat(8190)}"`;
    await stored(ON_USER, token, largest);
    assert.deepEqual(said(await store(ON_USER, token, `"${'y'.repeat(8191)}"`)), TOO_LARGE);
    assert.equal(await recordOf(site, token), largest, 'the old record stays');
    const root = await tokensOf(admin, fake, APP);
    const app = (length) => `{"client_id":"${'x'.repeat(length - 16)}"}`;
    assert.equal(app(8192).length, 8192);
    await stored(ON_APP, root.user, app(8192));
    assert.deepEqual(said(await store(ON_APP, root.user, app(8193))), TOO_LARGE);
    assert.equal((await contextOf(user, fake, APP)).oauth2.client_id.length, 8176);
    assert.deepEqual(said(await store(ON_APP, undefined, app(8193))), TOO_LARGE, 'before anybody looks at who asks');
    await stored(ON_APP, root.user, {});
});

test('c_oa_07_inside_a_call_the_app_sees_the_errors_text', async () => {
    fake.answer('/store-too-much', async ({ context }) => {
        const answer = await store(ON_USER, context.acting_user_access_token, `"${'y'.repeat(8191)}"`);
        return { type: 'error', text: answer.text.trim() };
    });
    const call = { path: '/store-too-much', context: { app_id: APP }, expand: { acting_user_access_token: 'all' } };
    const answer = await user.executeAppCall(call, true);
    assert.deepEqual([answer.type, answer.text], ['error', 'size limit of 8Kb exceeded']);
});

test('c_oa_08_c_oa_10_what_is_no_json_is_refused_and_the_old_record_stays', async () => {
    const { user: token } = await tokensOf(user, fake, APP);
    await stored(ON_USER, token, '{"old":1}');
    for (const body of ['test', '', '{"a":1', '{} x', '\u{feff}{}']) {
        assert.deepEqual(said(await store(ON_USER, token, body)), [400, 'payload is not valid JSON: invalid input\n'], body);
    }
    assert.equal(await recordOf(site, token), '{"old":1}');
    const root = await tokensOf(admin, fake, APP);
    for (const [body, text] of [
        ['test', "invalid character 'e' in literal true (expecting 'r')"],
        ['', 'unexpected end of JSON input'],
        ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
        ['{"a":1} x', "invalid character 'x' after top-level value"],
        ['"x"', 'json: cannot unmarshal string into Go value of type apps.OAuth2App'],
        ['{"client_id":1}', 'json: cannot unmarshal number into Go struct field OAuth2App.client_id of type string'],
    ]) {
        const expected = [400, `OAuth2App is not valid JSON: ${text}: invalid input\n`];
        assert.deepEqual(said(await store(ON_APP, root.user, body)), expected, body);
    }
});

test('c_oa_13_a_user_without_the_right_stores_no_app_record', async () => {
    const { user: token } = await tokensOf(user, fake, APP);
    const answer = await store(ON_APP, token, { client_id: 'planted' });
    assert.equal(answer.status, 401);
    assert.match(answer.text, /manage_system.*unauthorized\n$/);
    assert.equal((await contextOf(user, fake, APP)).oauth2.client_id, undefined);
});

test('c_oa_11_c_oa_12_c_oa_14_documented_the_bot_has_a_record_of_its_own_and_may_store_its_client', async () => {
    const tokens = await tokensOf(user, fake, APP);
    await stored(ON_USER, tokens.user, '{"of":"the user"}');
    await stored(ON_USER, tokens.bot, '{"of":"the bot"}');
    assert.equal(await recordOf(site, tokens.bot), '{"of":"the bot"}');
    assert.equal(await recordOf(site, tokens.user), '{"of":"the user"}');
    await stored(ON_APP, tokens.bot, { client_id: 'by the bot' });
    assert.equal((await contextOf(user, fake, APP)).oauth2.client_id, 'by the bot');
    await stored(ON_APP, tokens.bot, {});
});

test('c_oa_11_c_oa_12_c_oa_14_reference_the_bot_is_refused_with_the_originals_texts', async (t) => {
    const { server, people: [person, , root] } = await stage({ TESSERA_COMPAT__PROFILE: 'reference' });
    t.after(() => server.stop());
    const { bot } = await tokensOf(person, fake, APP);
    for (const [method, body] of [['GET', undefined], ['POST', '{"a":1}'], ['PUT', '{"a":1}']]) {
        const answer = await ask(server.site, method, ON_USER, { token: bot, body });
        assert.equal(answer.status, 401, method);
        assert.match(answer.text, /is a bot: unauthorized\n$/, method);
    }
    const refused = await store(ON_APP, bot, '{"client_id":"x"}', 'POST', server.site);
    assert.equal(refused.status, 401);
    assert.match(refused.text, /manage_system.*unauthorized\n$/);
    const { user: token } = await tokensOf(root, fake, APP);
    await stored(ON_APP, token, '{"client_id":"x"}', 'POST', server.site);
});

test('c_oa_15_c_oa_16_empty_records_may_be_stored', async () => {
    const { user: token } = await tokensOf(user, fake, APP);
    await stored(ON_USER, token, '{}');
    assert.equal(await recordOf(site, token), '{}');
    assert.equal((await contextOf(user, fake, APP)).oauth2.user, undefined);
    const root = await tokensOf(admin, fake, APP);
    await stored(ON_APP, root.user, { client_id: '', client_secret: '', remote_root_url: '', data: null });
    const { connect_url: connect, complete_url: complete, ...rest } = (await contextOf(user, fake, APP)).oauth2;
    assert.deepEqual([rest, typeof connect, typeof complete], [{}, 'string', 'string']);
});

test('c_oa_17_a_call_without_any_expand_still_hands_out_the_bots_token', async () => {
    await user.executeAppCall({ path: '/bare', context: { app_id: APP } }, false);
    const { context } = fake.calls('/bare').pop().json;
    assert.match(context.bot_access_token, /^[a-z0-9]{26}$/);
    assert.deepEqual([context.acting_user_access_token, context.oauth2], [undefined, {}]);
});

test('c_oa_18_during_on_install_the_app_stores_both_records', async (t) => {
    fake.answer('/installed', async ({ context }) => {
        const token = context.acting_user_access_token;
        const answers = [await store(ON_APP, token, { client_id: 'early' }), await store(ON_USER, token, '"plain"')];
        const bad = answers.find(({ status }) => status !== 200);
        return bad ? { type: 'error', text: bad.text } : { type: 'ok', text: 'both' };
    });
    const expand = { acting_user: 'all', acting_user_access_token: 'all' };
    await install(admin, fake.manifest('early', { on_install: { path: '/installed', expand } }));
    t.after(() => apps(admin, '/uninstall-app', { app_id: 'early' }));
    const { oauth2 } = await contextOf(admin, fake, 'early');
    assert.deepEqual([oauth2.client_id, oauth2.user], ['early', 'plain']);
});

test('c_oa_19_uninstalling_the_app_removes_its_records', async () => {
    await install(admin, fake.manifest('leaving'));
    const tokens = await tokensOf(user, fake, 'leaving');
    await stored(ON_USER, tokens.user, '{"a":1}');
    await stored(ON_APP, tokens.bot, { client_id: 'x' });
    await apps(admin, '/uninstall-app', { app_id: 'leaving' });
    await install(admin, fake.manifest('leaving'));
    const { oauth2 } = await contextOf(user, fake, 'leaving');
    assert.deepEqual([oauth2.user, oauth2.client_id], [undefined, undefined]);
    assert.equal(await recordOf(site, (await tokensOf(user, fake, 'leaving')).user), '');
});

test('c_oa_20_c_oa_28_put_does_what_post_does_and_no_content_type_is_needed', async () => {
    const tokens = await tokensOf(user, fake, APP);
    await stored(ON_USER, tokens.user, Buffer.from('{"by":"put"}'), 'PUT');
    assert.equal(await recordOf(site, tokens.user), '{"by":"put"}');
    await stored(ON_APP, tokens.bot, Buffer.from('{"client_id":"put"}'), 'PUT');
    assert.equal((await contextOf(user, fake, APP)).oauth2.client_id, 'put');
    await stored(ON_APP, tokens.bot, Buffer.from('{}'), 'POST');
});

test('c_oa_21_c_oa_22_nothing_reads_as_nothing_and_null_as_null', async () => {
    await install(admin, fake.manifest('fresh'));
    const { user: token } = await tokensOf(user, fake, 'fresh');
    const answer = await ask(site, 'GET', ON_USER, { token });
    assert.deepEqual([...said(answer), answer.headers.get('content-length')], [200, '', '0']);
    await stored(ON_USER, token, 'null');
    assert.equal(await recordOf(site, token), 'null');
    assert.equal((await contextOf(user, fake, 'fresh')).oauth2.user, undefined);
    for (const value of [false, 0, '', []]) {
        await stored(ON_USER, token, JSON.stringify(value));
        assert.deepEqual((await contextOf(user, fake, 'fresh')).oauth2.user, value);
    }
});

test('c_oa_24_a_persons_own_session_neither_stores_nor_reads_a_record', async () => {
    for (const person of [user, admin]) {
        const token = person.getToken();
        for (const [method, body] of [['GET', undefined], ['POST', '{}'], ['PUT', '{}']]) {
            const answer = await ask(site, method, ON_USER, { token, body });
            assert.deepEqual(said(answer), [401, 'not an app session: unauthorized\n'], method);
        }
    }
});

test('c_oa_25_an_app_without_the_permission_is_refused_on_all_three', async () => {
    await install(admin, fake.manifest('modest', { requested_permissions: PERMISSIONS.slice(0, 2) }));
    const { user: token } = await tokensOf(admin, fake, 'modest');
    const text = 'modest is not authorized to use remote OAuth2: unauthorized\n';
    for (const [method, path, body] of [['GET', ON_USER, undefined], ['POST', ON_USER, '{}'], ['POST', ON_APP, '{}']]) {
        assert.deepEqual(said(await ask(site, method, path, { token, body })), [401, text], `${method} ${path}`);
    }
});

test('c_oa_27_records_of_two_users_and_of_two_apps_are_apart', async () => {
    await install(admin, fake.manifest('second'));
    const places = [[user, APP], [other, APP], [user, 'second']];
    const tokens = [];
    for (const [person, app] of places) tokens.push((await tokensOf(person, fake, app)).user);
    for (const [index, token] of tokens.entries()) await stored(ON_USER, token, `{"place":${index}}`);
    for (const [index, token] of tokens.entries()) assert.equal(await recordOf(site, token), `{"place":${index}}`);
    await stored(ON_USER, tokens[1], 'null');
    assert.equal(await recordOf(site, tokens[0]), '{"place":0}');
    assert.equal(await recordOf(site, tokens[2]), '{"place":2}');
});
