// oidc-provider as the remote service: the Rust App goes through it, in a browser, over the real binary.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { ask, flow } from '../lib/ask.js';
import { Browser } from '../lib/browser.js';
import { RUST, actionsOf, browserOf, comeBack } from '../lib/hello.js';
import { CLIENT } from '../lib/oidc.js';
import { PASSWORD } from '../lib/people.js';
import { startScene } from '../lib/scene.js';

const APP = RUST.id;
const AGAIN = 'does not accept your connection any more. Use `/hello-oauth2 connect` to connect again';
const { command, toProvider } = actionsOf(RUST);

let scene;
let site;
let oidc;
let hello;
let admin;
let user;
let other;
let connect;
let refused;
let refreshedBy;
let endGrant;

before(async () => {
    scene = await startScene(RUST);
    ({ site, oidc, hello, admin, user, other, connect, refused, refreshedBy, endGrant } = scene);
});

after(() => scene?.stop());

test('configuring_tells_the_redirect_uri_and_keeps_the_secret', async () => {
    assert.ok(hello.told.text.includes(`${site}${flow(APP, 'complete')}`), hello.told.text);
    assert.ok(!hello.told.text.includes(CLIENT.secret));
    const mere = await command(user, 'configure', { client_id: 'x', client_secret: 'y' });
    assert.deepEqual([mere.type, mere.text], ['error', 'only a system administrator can configure this App']);
});

test('c_oc_01_c_oc_08_c_oc_16_os_17_the_whole_way_connect_consent_complete_send_disconnect', async () => {
    const offered = await command(user, 'connect');
    assert.ok(offered.text.includes(`(${site}${flow(APP, 'connect')})`), offered.text);
    assert.match((await command(user, 'send')).text, /You are not connected/);

    const { url, back, page, confirmed, status } = await connect('user-1');
    assert.ok(confirmed, 'a link from elsewhere is asked about first');
    assert.ok([302, 303, 307].includes(status));
    const asked = new URL(url).searchParams;
    assert.deepEqual(
        [asked.get('client_id'), asked.get('response_type'), asked.get('redirect_uri'), asked.get('code_challenge_method')],
        [CLIENT.id, 'code', `${site}${flow(APP, 'complete')}`, 'S256'],
    );
    assert.match(asked.get('code_challenge'), /^[A-Za-z0-9_-]{43}$/);
    assert.match(asked.get('state'), new RegExp(`^[A-Za-z0-9_-]{43}\\.${user.id}$`));
    assert.ok(!url.includes(encodeURIComponent(CLIENT.secret)));
    assert.deepEqual([...new URL(back).searchParams.keys()].sort(), ['code', 'iss', 'state']);
    assert.equal(page.status, 200, page.text);
    assert.ok(page.text.includes('Completed connecting your account'), page.text);

    const sent = await command(user, 'send');
    assert.deepEqual([sent.type, sent.text], ['ok', 'Hello from the provider! Your calendars:\n* The calendar of user-1@provider']);
    assert.match((await command(other, 'send')).text, /You are not connected/, 'nobody else is');
    const listed = await ask(site, 'GET', '/plugins/com.mattermost.apps/tessera/v1/connections', { token: user.getToken() });
    // The App refreshes first, and looks then whether somebody was quicker.
    assert.deepEqual(listed.json().map(({ app, last_used_by: by }) => [app, by]), [[APP, 'oauth2/user']]);

    const revocations = oidc.count('revoked');
    const gone = await command(user, 'disconnect');
    assert.equal(gone.text, 'Disconnected your account, and the provider has revoked the access.');
    assert.ok(oidc.count('revoked') > revocations, 'the provider knows');
    assert.match((await command(user, 'send')).text, /You are not connected/);
    assert.equal((await command(user, 'disconnect')).text, 'You were not connected.');
});

test('c_oc_09_os_03_the_providers_answer_is_good_once', async () => {
    const { browser, back, page } = await connect('user-1');
    assert.equal(page.status, 200);
    const since = oidc.seen.length;
    const again = await comeBack(browser, back);
    assert.equal(again.status, 403);
    assert.ok(again.text.includes('state mismatch: forbidden'), again.text);
    assert.equal(oidc.seen.length, since, 'the provider is not asked again');
    assert.equal((await command(user, 'send')).type, 'ok', 'what was connected stays so');
});

test('os_05_os_06_c_oc_11_the_answer_is_refused_in_another_browser_and_by_another_person', async () => {
    const browser = await browserOf(site, 'user-1');
    const { url } = await toProvider(site, browser);
    const back = await oidc.pass(browser, { url, name: 'user-1@provider' });
    const since = oidc.seen.length;
    for (const name of ['user-1', 'user-2']) {
        const stranger = await browserOf(site, name);
        const page = await comeBack(stranger, back);
        assert.equal(page.status, 403, `${name}: ${page.text}`);
    }
    assert.equal(oidc.seen.length, since);
    assert.equal((await comeBack(browser, back)).status, 200, 'and still works where it began');
});

test('os_06_without_a_session_the_browser_signs_in_on_the_way_there_and_back', async () => {
    await command(other, 'disconnect');
    const browser = new Browser();
    let page = await browser.follow(await browser.open(`${site}${flow(APP, 'connect')}`));
    page = await browser.follow(await browser.submit(page, { login_id: 'user-2', password: PASSWORD }));
    assert.equal(page.status, 200);
    assert.ok(page.text.includes('user-2'), 'after the detour a person is asked');
    page = await browser.submit(page);
    while (page.location.startsWith(site)) page = await browser.open(page.location);
    const back = await oidc.pass(browser, { url: page.location, name: 'user-2@provider' });

    // The session ends while the person is away.
    browser.jar = browser.jar.filter(({ name }) => name !== 'MMAUTHTOKEN');
    const since = oidc.seen.length;
    const login = await browser.follow(await comeBack(browser, back));
    assert.ok('password' in login.form().fields, login.text);
    assert.equal(oidc.seen.length, since, 'nothing happens before');
    assert.ok(!login.url.includes('code='), 'and the code is in no address on the way');
    const end = await browser.follow(await browser.submit(login, { login_id: 'user-2', password: PASSWORD }));
    assert.equal(end.status, 200, end.text);
    assert.ok(end.text.includes('Completed connecting your account'), end.text);
    assert.equal((await command(other, 'send')).type, 'ok');

    const again = await toProvider(site, browser);
    assert.deepEqual([again.confirmed, again.status], [false, 307], 'who is connected already is not asked again');
});

test('c_oc_14_os_13_who_denies_consent_is_told_so_and_nothing_is_connected', async () => {
    await command(other, 'disconnect');
    const codes = oidc.count('authorization_code');
    const { back, page } = await connect('user-2', 'deny');
    const answer = new URL(back).searchParams;
    assert.deepEqual([answer.get('error'), answer.get('iss'), answer.get('code')], ['access_denied', oidc.issuer, null]);
    assert.ok(page.text.includes('the provider refused: `access_denied`'), page.text);
    assert.equal(oidc.count('authorization_code'), codes);
    assert.match((await command(other, 'send')).text, /You are not connected/);
});

test('os_12_an_answer_of_another_issuer_never_reaches_the_token_endpoint', async () => {
    for (const iss of ['https://evil.example', `${oidc.issuer}/`, undefined]) {
        const browser = await browserOf(site, 'user-2');
        const { url } = await toProvider(site, browser);
        const back = new URL(await oidc.pass(browser, { url, name: 'user-2@provider' }));
        assert.equal(back.searchParams.get('iss'), oidc.issuer);
        if (iss === undefined) back.searchParams.delete('iss');
        else back.searchParams.set('iss', iss);
        const since = oidc.seen.length;
        const page = await comeBack(browser, back.href);
        assert.equal(page.status, 500, page.text);
        assert.ok(page.text.includes('the answer did not come from the provider'), page.text);
        assert.equal(oidc.seen.length, since, 'the code was not sent');
    }
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
});

test('a_request_without_pkce_is_refused_by_the_provider_and_the_app_says_so', async () => {
    const browser = await browserOf(site, 'user-2');
    const { url } = await toProvider(site, browser);
    const bare = new URL(url);
    for (const name of ['code_challenge', 'code_challenge_method']) bare.searchParams.delete(name);
    const page = await browser.open(bare.href);
    const answer = new URL(page.location).searchParams;
    assert.deepEqual([answer.get('error'), answer.get('iss')], ['invalid_request', oidc.issuer]);
    const shown = await comeBack(browser, page.location);
    assert.ok(shown.text.includes('the provider refused: `invalid_request`'), shown.text);
});

test('refresh_tokens_are_rotated_at_each_use_and_none_is_used_twice', async () => {
    await connect('user-1');
    const since = oidc.seen.length;
    for (let round = 1; round <= 3; round += 1) {
        const sent = await command(user, 'send');
        assert.equal(sent.type, 'ok', sent.text);
    }
    const tokens = refreshedBy(since);
    assert.equal(tokens.length, 3, 'tokens live shorter than the App wants them to');
    assert.equal(new Set(tokens).size, 3);
    assert.deepEqual(refused(since), []);
});

test('many_sends_at_once_reuse_no_refresh_token', async () => {
    await Promise.all([connect('user-1'), connect('user-2')]);
    const since = oidc.seen.length;
    const answers = await Promise.all([user, other, user, other, user, other, user, other].map((one) => command(one, 'send')));
    for (const answer of answers) assert.equal(answer.type, 'ok', answer.text);
    assert.deepEqual(refused(since), [], 'a second use would have ended the grant');
    const tokens = refreshedBy(since);
    assert.ok(tokens.length >= 2);
    assert.equal(new Set(tokens).size, tokens.length);
    assert.equal((await command(user, 'send')).type, 'ok', 'and the grant lives');
});

test('a_grant_that_was_revoked_at_the_provider_asks_to_connect_again', async () => {
    await connect('user-1');
    assert.equal((await command(user, 'send')).type, 'ok');
    await endGrant('user-1');
    const since = oidc.seen.length;
    const sent = await command(user, 'send');
    assert.deepEqual([sent.type, sent.text], ['error', `the provider ${AGAIN}`]);
    assert.deepEqual(refused(since), ['invalid_grant']);
    assert.equal((await connect('user-1')).page.status, 200);
    assert.equal((await command(user, 'send')).type, 'ok');
});

test('a_client_secret_that_is_wrong_is_told_apart_from_a_connection_that_ended', async () => {
    await connect('user-1');
    await command(admin, 'configure', { client_id: CLIENT.id, client_secret: 'not the secret' });
    const sent = await command(user, 'send');
    assert.equal(sent.type, 'error');
    assert.match(sent.text, /the provider refused: `invalid_client`/);
    await command(admin, 'configure', { client_id: CLIENT.id, client_secret: CLIENT.secret });
    assert.equal((await command(user, 'send')).type, 'ok', 'the connection outlived the mistake');
});
