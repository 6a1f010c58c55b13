// @node-oauth/oauth2-server as the remote service: the same way by another mind.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { flow } from '../lib/ask.js';
import { RUST, actionsOf, browserOf, comeBack } from '../lib/hello.js';
import { CLIENT, startOAuth2Server } from '../lib/oauth2-server.js';
import { signIn } from '../lib/people.js';
import { startTessera } from '../lib/programs.js';

const APP = RUST.id;
const { command, setUp, toProvider } = actionsOf(RUST);

let tessera;
let site;
let provider;
let hello;
let admin;
let user;
let other;
const secrets = [CLIENT.secret];

before(async () => {
    tessera = await startTessera();
    site = tessera.site;
    provider = await startOAuth2Server(`${site}${flow(APP, 'complete')}`);
    [admin, user, other] = await Promise.all(['sysadmin', 'user-1', 'user-2'].map((name) => signIn(site, name)));
    hello = await setUp(site, admin, provider.settings, CLIENT);
});

after(async () => {
    const [server, app] = [await tessera.stop(), await hello.stop()];
    await provider.stop();
    assert.equal(server.code, 0, server.output);
    assert.deepEqual(provider.seen.filter(({ what }) => what === 'broken'), []);
    for (const secret of secrets) {
        assert.ok(!server.output.includes(secret) && !app.output.includes(secret), 'a secret is in a log');
    }
});

async function connect(name, decide) {
    const browser = await browserOf(site, name);
    const { url } = await toProvider(site, browser);
    const back = await provider.pass(browser, { url, name: `${name}@other` }, decide);
    return { browser, back, page: await comeBack(browser, back) };
}

const refused = (since) => provider.seen.slice(since).filter(({ what }) => what === 'refused').map(({ error }) => error);

test('c_oc_01_c_oc_08_c_oc_16_the_whole_way_connect_allow_complete_send_disconnect', async () => {
    assert.match((await command(user, 'send')).text, /You are not connected/);
    const { back, page } = await connect('user-1');
    assert.deepEqual([...new URL(back).searchParams.keys()].sort(), ['code', 'state'], 'it names no issuer');
    assert.equal(page.status, 200, page.text);
    const { form } = provider.seen.find(({ what }) => what === 'authorization_code');
    assert.match(form.code_verifier, /^[A-Za-z0-9_-]{43}$/);
    assert.deepEqual([form.redirect_uri, form.client_secret], [`${site}${flow(APP, 'complete')}`, CLIENT.secret]);
    const sent = await command(user, 'send');
    assert.deepEqual([sent.type, sent.text], ['ok', 'Hello from the other! Your calendars:\n* The calendar of user-1@other']);
    assert.equal((await command(user, 'disconnect')).text, 'Disconnected your account.');
    assert.match((await command(user, 'send')).text, /You are not connected/);
});

test('a_refresh_token_that_is_not_replaced_stays_in_force', async () => {
    await connect('user-1');
    const since = provider.seen.length;
    const answers = await Promise.all([1, 2, 3].map(() => command(user, 'send')));
    answers.push(await command(user, 'send'));
    for (const answer of answers) assert.equal(answer.type, 'ok', answer.text);
    const refreshes = provider.seen.slice(since).filter(({ what }) => what === 'refresh_token');
    assert.equal(refreshes.length, 4);
    const tokens = refreshes.map(({ form }) => form.refresh_token);
    assert.equal(new Set(tokens).size, 1, 'an answer without one leaves the old');
    secrets.push(tokens[0]);
    assert.deepEqual(refused(since), []);
});

test('c_oc_14_os_13_who_does_not_allow_it_is_told_so_and_nothing_is_connected', async () => {
    const codes = provider.count('authorization_code');
    const { back, page } = await connect('user-2', 'deny');
    assert.equal(new URL(back).searchParams.get('error'), 'access_denied');
    assert.ok(page.text.includes('the other refused: `access_denied`'), page.text);
    assert.equal(provider.count('authorization_code'), codes);
    assert.match((await command(other, 'send')).text, /You are not connected/);
});

test('c_oc_09_os_03_its_answer_is_good_once', async () => {
    const { browser, back, page } = await connect('user-2');
    assert.equal(page.status, 200, page.text);
    const since = provider.seen.length;
    const again = await comeBack(browser, back);
    assert.equal(again.status, 403);
    assert.ok(again.text.includes('state mismatch: forbidden'), again.text);
    assert.equal(provider.seen.length, since);
});

test('a_code_brought_back_under_another_state_fails_at_its_pkce_and_is_spent', async () => {
    const browser = await browserOf(site, 'user-2');
    const [first, second] = [await toProvider(site, browser), await toProvider(site, browser)];
    const stolen = new URL(await provider.pass(browser, { url: first.url, name: 'user-2@other' }));
    const own = new URL(await provider.pass(browser, { url: second.url, name: 'user-2@other' }));
    own.searchParams.set('code', stolen.searchParams.get('code'));
    const since = provider.seen.length;
    assert.equal((await comeBack(browser, own.href)).status, 500);
    assert.deepEqual(refused(since), ['invalid_grant']);
    const late = await comeBack(browser, stolen.href);
    assert.equal(late.status, 500);
    assert.ok(late.text.includes('invalid_grant'), 'the true owner of the code notices');
});

test('what_was_forgotten_at_the_provider_asks_to_connect_again', async () => {
    await connect('user-1');
    assert.equal((await command(user, 'send')).type, 'ok');
    provider.forget('user-1@other');
    const sent = await command(user, 'send');
    assert.equal(sent.type, 'error');
    assert.match(sent.text, /^the other does not accept your connection any more/);
    assert.equal((await connect('user-1')).page.status, 200);
    assert.equal((await command(user, 'send')).type, 'ok');
});

test('a_scope_that_it_does_not_know_comes_back_as_an_error', async () => {
    const browser = await browserOf(site, 'user-2');
    const { url } = await toProvider(site, browser);
    const wide = new URL(url);
    wide.searchParams.set('scope', 'calendar everything');
    const back = await provider.pass(browser, { url: wide.href, name: 'user-2@other' });
    assert.equal(new URL(back).searchParams.get('error'), 'invalid_scope');
    const page = await comeBack(browser, back);
    assert.ok(page.text.includes('the other refused: `invalid_scope`'), page.text);
});
