// oidc-provider as the remote service: the Go App goes through it, on the original's driver and golang.org/x/oauth2.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { flow } from '../lib/ask.js';
import { GO, actionsOf, browserOf, comeBack } from '../lib/hello.js';
import { CLIENT } from '../lib/oidc.js';
import { startScene } from '../lib/scene.js';

const { command, toProvider } = actionsOf(GO);
const NOT_CONNECTED = /^missing user record, required for \/(use|disconnect)\./;

let scene;
let site;
let oidc;
let hello;
let user;
let other;
let connect;
let refused;
let refreshedBy;
let endGrant;

before(async () => {
    scene = await startScene(GO);
    ({ site, oidc, hello, user, other, connect, refused, refreshedBy, endGrant } = scene);
});

after(() => scene?.stop());

/** Nothing is connected for this person. */
async function assertNotConnected(person) {
    for (const name of ['use', 'disconnect']) {
        const { type, text } = await command(person, name);
        assert.equal(type, 'error', text);
        assert.match(text, NOT_CONNECTED);
    }
}

test('configuring_is_an_administrators_matter', async () => {
    assert.equal(hello.told.text, 'updated OAuth client credentials');
    const mere = await command(user, 'configure', { client_id: 'x', client_secret: 'y' });
    assert.equal(mere.type, 'error');
    assert.match(mere.text, /^system administrator role is required/);
});

test('c_oc_01_c_oc_08_c_oc_16_os_17_the_whole_way_connect_consent_complete_use_disconnect', async () => {
    const offered = await command(user, 'connect');
    assert.equal(offered.text, `[Connect](${site}${flow(GO.id, 'connect')})`);
    await assertNotConnected(user);

    const { browser, url, back, page, confirmed, status } = await connect('user-1');
    assert.deepEqual([confirmed, status], [true, 303], 'a link from elsewhere is asked about first');
    const asked = new URL(url).searchParams;
    assert.deepEqual(
        [asked.get('client_id'), asked.get('response_type'), asked.get('redirect_uri'), asked.get('code_challenge_method')],
        [CLIENT.id, 'code', `${site}${flow(GO.id, 'complete')}`, 'S256'],
    );
    assert.match(asked.get('code_challenge'), /^[A-Za-z0-9_-]{43}$/);
    assert.match(asked.get('state'), new RegExp(`^[A-Za-z0-9_-]{43}\\.${user.id}$`));
    assert.deepEqual([...new URL(back).searchParams.keys()].sort(), ['code', 'iss', 'state']);
    assert.equal(page.status, 200, page.text);
    assert.ok(page.text.includes('Completed connecting your account'), page.text);

    const used = await command(user, 'use');
    assert.equal(used.type, 'ok', used.text);
    assert.deepEqual(JSON.parse(used.text), { items: [{ summary: 'The calendar of user-1@provider' }] });
    await assertNotConnected(other);
    const again = await toProvider(site, browser);
    assert.deepEqual([again.confirmed, again.status], [false, 307], 'who is connected already is not asked again');

    const revocations = oidc.count('revoked');
    const gone = await command(user, 'disconnect');
    assert.deepEqual([gone.type, gone.text], ['ok', 'disconnected, and the provider has revoked the access']);
    assert.ok(oidc.count('revoked') > revocations, 'the provider knows');
    await assertNotConnected(user);
});

test('c_oc_09_os_03_the_providers_answer_is_good_once', async () => {
    const { browser, back, page } = await connect('user-1');
    assert.equal(page.status, 200, page.text);
    const since = oidc.seen.length;
    const again = await comeBack(browser, back);
    assert.equal(again.status, 403);
    assert.ok(again.text.includes('state mismatch: forbidden'), again.text);
    assert.equal(oidc.seen.length, since, 'the provider is not asked again');
    assert.equal((await command(user, 'use')).type, 'ok', 'what was connected stays so');
});

test('c_oc_13_c_oc_14_os_13_who_denies_consent_is_not_connected_and_the_state_is_spent', async () => {
    const codes = oidc.count('authorization_code');
    const { browser, back, page } = await connect('user-2', 'deny');
    const answer = new URL(back).searchParams;
    assert.deepEqual([answer.get('error'), answer.get('iss'), answer.get('code')], ['access_denied', oidc.issuer, null]);
    assert.equal(page.status, 500);
    for (const part of ['Nothing was connected', '<code>access_denied</code>', 'the provider gave no code: access_denied']) {
        assert.ok(page.text.includes(part), page.text);
    }
    assert.equal((await comeBack(browser, back)).status, 403);
    assert.equal(oidc.count('authorization_code'), codes);
    await assertNotConnected(other);
});

test('os_12_c_oc_13_an_answer_of_another_issuer_never_reaches_the_token_endpoint', async () => {
    for (const iss of ['https://evil.example', `${oidc.issuer}/`, undefined]) {
        const browser = await browserOf(site, 'user-2');
        const { url } = await toProvider(site, browser);
        const right = await oidc.pass(browser, { url, name: 'user-2@provider' });
        const wrong = new URL(right);
        assert.equal(wrong.searchParams.get('iss'), oidc.issuer);
        if (iss === undefined) wrong.searchParams.delete('iss');
        else wrong.searchParams.set('iss', iss);
        const since = oidc.seen.length;
        const page = await comeBack(browser, wrong.href);
        assert.equal(page.status, 500, page.text);
        assert.ok(page.text.includes('the answer did not come from the provider'), page.text);
        assert.equal((await comeBack(browser, right)).status, 403, 'the state is spent');
        assert.equal(oidc.seen.length, since, 'the code was not sent');
    }
    await assertNotConnected(other);
});

test('a_code_brought_back_under_another_state_fails_at_the_providers_pkce', async () => {
    const browser = await browserOf(site, 'user-2');
    const [first, second] = [await toProvider(site, browser), await toProvider(site, browser)];
    const stolen = new URL(await oidc.pass(browser, { url: first.url, name: 'user-2@provider' }));
    const own = new URL(await oidc.pass(browser, { url: second.url, name: 'user-2@provider' }));
    own.searchParams.set('code', stolen.searchParams.get('code'));
    const since = oidc.seen.length;
    const page = await comeBack(browser, own.href);
    assert.equal(page.status, 500);
    assert.ok(page.text.includes('invalid_grant'), page.text);
    assert.deepEqual(refused(since), ['invalid_grant']);
    await assertNotConnected(other);
});

test('refresh_tokens_are_rotated_at_each_use_and_none_is_used_twice', async () => {
    assert.equal((await connect('user-1')).page.status, 200);
    const since = oidc.seen.length;
    for (let round = 1; round <= 3; round += 1) {
        const used = await command(user, 'use');
        assert.equal(used.type, 'ok', used.text);
    }
    const tokens = refreshedBy(since);
    assert.equal(tokens.length, 3, 'tokens live no longer than the library wants them to');
    assert.equal(new Set(tokens).size, 3);
    assert.deepEqual(refused(since), []);
});

test('a_grant_that_was_revoked_at_the_provider_is_an_error_until_the_person_connects_again', async () => {
    assert.equal((await connect('user-1')).page.status, 200);
    assert.equal((await command(user, 'use')).type, 'ok');
    await endGrant('user-1');
    const since = oidc.seen.length;
    const used = await command(user, 'use');
    assert.equal(used.type, 'error');
    assert.match(used.text, /invalid_grant/);
    assert.deepEqual(refused(since), ['invalid_grant']);
    assert.equal((await connect('user-1')).page.status, 200);
    assert.equal((await command(user, 'use')).type, 'ok');
});
