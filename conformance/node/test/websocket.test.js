// Mattermost's own websocket client: it says who it is, counts what it hears, and comes back when it was cut off.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import WebSocket from 'ws';

import { API, ask } from '../lib/ask.js';
import { startFakeApp } from '../lib/fake-app.js';
import { Ear } from '../lib/ear.js';
import { apps, install, signIn, tokensOf } from '../lib/people.js';
import { startTessera } from '../lib/programs.js';
import { assertShape, BROADCAST, EVENT, HELLO, POST, POSTED } from '../lib/shapes.js';

const REFRESH = 'custom_com.mattermost.apps_refresh_bindings';
const APP = 'hearing';

let tessera;
let fake;
let user;
let other;
let admin;
let channel;

before(async () => {
    tessera = await startTessera();
    fake = await startFakeApp();
    [user, other, admin] = await Promise.all(['user-1', 'user-2', 'sysadmin'].map((name) => signIn(tessera.site, name)));
    const [team] = await user.getMyTeams();
    channel = await user.getChannelByName(team.id, 'town-square');
    await install(admin, fake.manifest(APP));
});

after(async () => {
    const end = await tessera.stop();
    await fake.stop();
    assert.equal(end.code, 0, end.output);
});

const say = (person, message) => person.createPost({ channel_id: channel.id, message });

/** Hears until this message is posted; gives the names of the events before it. */
async function until(ear, message) {
    const names = [];
    for (;;) {
        const event = await ear.next();
        if (event.event === 'posted' && JSON.parse(event.data.post).message === message) return names;
        names.push(event.event);
    }
}

test('the_client_is_greeted_after_its_challenge_and_its_ping_is_answered', async (t) => {
    const ear = Ear.of(user);
    t.after(() => ear.close());
    const hello = await ear.next();
    assertShape(hello, EVENT, 'event');
    assertShape(hello.broadcast, BROADCAST, 'broadcast');
    assertShape(hello.data, HELLO, 'hello');
    assert.deepEqual([hello.event, hello.seq, hello.broadcast.user_id], ['hello', 0, user.id]);
    assert.match(hello.data.connection_id, /^[a-z0-9]{26}$/);
    const pong = await new Promise((resolve) => ear.client.ping(resolve));
    assert.deepEqual([pong.status, pong.data.text], ['OK', 'pong']);
    assert.equal(ear.client.waitingForPong, false, 'the ping that the client sends by itself was answered too');
});

test('posts_are_heard_in_mattermosts_shape_by_those_in_the_channel_and_counted', async (t) => {
    const [mine, theirs] = [Ear.of(user), Ear.of(other)];
    t.after(() => [mine, theirs].forEach((ear) => ear.close()));
    await Promise.all([mine.next(), theirs.next()]);
    const direct = await user.createDirectChannel([user.id, admin.id]);
    await user.createPost({ channel_id: direct.id, message: 'Not for the other' });
    const post = await say(user, 'For everybody');
    assert.deepEqual(await until(theirs, 'For everybody'), []);

    const first = await mine.next();
    assert.equal(JSON.parse(first.data.post).message, 'Not for the other');
    const second = await mine.next();
    for (const [index, event] of [first, second].entries()) {
        assertShape(event, EVENT, 'event');
        assertShape(event.data, POSTED, 'posted');
        assert.equal(event.event, 'posted');
        assert.equal(event.seq, index + 1);
    }
    assert.deepEqual(
        [second.data.channel_name, second.data.channel_type, second.data.sender_name, second.broadcast.channel_id],
        ['town-square', 'O', '@user-1', channel.id],
    );
    const inside = JSON.parse(second.data.post);
    assertShape(inside, POST, 'the post in the event');
    assert.deepEqual(inside, post);
    assert.equal(mine.missed, 0);
});

test('who_administers_an_app_hears_the_refresh_event_and_nobody_else', async (t) => {
    const [mine, theirs] = [Ear.of(admin), Ear.of(user)];
    t.after(() => [mine, theirs].forEach((ear) => ear.close()));
    await Promise.all([mine.next(), theirs.next()]);
    const id = 'coming-and-going';
    await apps(admin, '/update-app-listing', { Replace: true, ...fake.manifest(id) });
    for (const [route, more] of [
        ['/install-app', { deploy_type: 'http' }], ['/disable-app', {}], ['/enable-app', {}], ['/uninstall-app', {}],
    ]) {
        await apps(admin, route, { app_id: id, ...more });
        const event = await mine.next();
        assertShape(event, EVENT, 'event');
        assertShape(event.broadcast, BROADCAST, 'broadcast');
        assert.deepEqual([event.event, event.data, event.broadcast.user_id], [REFRESH, {}, admin.id], route);
    }
    await say(other, 'Nothing before this');
    assert.deepEqual(await until(theirs, 'Nothing before this'), []);
});

test('an_answer_with_refresh_bindings_reaches_the_one_who_called', async (t) => {
    const [mine, theirs] = [Ear.of(user), Ear.of(other)];
    t.after(() => [mine, theirs].forEach((ear) => ear.close()));
    await Promise.all([mine.next(), theirs.next()]);
    fake.answer('/refreshing', { type: 'ok', text: 'done', refresh_bindings: true });
    await user.executeAppCall({ path: '/refreshing', context: { app_id: APP } }, true);
    assert.equal((await mine.next()).event, REFRESH);
    fake.answer('/failing', { type: 'error', text: 'no', refresh_bindings: true });
    await user.executeAppCall({ path: '/failing', context: { app_id: APP } }, true);
    await say(admin, 'After both');
    assert.deepEqual(await until(mine, 'After both'), [], 'an error refreshes nothing');
    assert.deepEqual(await until(theirs, 'After both'), []);
});

test('c_oa_26_records_that_change_are_told_and_the_same_bytes_again_are_not', async (t) => {
    const tokens = await tokensOf(user, fake, APP);
    const [mine, theirs] = [Ear.of(user), Ear.of(other)];
    t.after(() => [mine, theirs].forEach((ear) => ear.close()));
    await Promise.all([mine.next(), theirs.next()]);
    const store = async (what, token, body) => {
        const answer = await ask(tessera.site, 'POST', `${API}/oauth2/${what}`, { token, body });
        assert.deepEqual([answer.status, answer.text], [200, '']);
    };
    await store('user', tokens.user, '{"a":1}');
    assert.equal((await mine.next()).event, REFRESH);
    await store('user', tokens.user, '{"a":1}');
    await say(admin, 'No second one');
    assert.deepEqual(await until(mine, 'No second one'), []);
    assert.deepEqual(await until(theirs, 'No second one'), [], "a person's record concerns that person");

    await store('app', tokens.bot, '{"client_id":"heard"}');
    for (const ear of [mine, theirs]) {
        const event = await ear.next();
        assert.deepEqual([event.event, event.broadcast.user_id], [REFRESH, ''], "an App's record concerns everybody");
    }
});

test('a_client_that_was_cut_off_comes_back_learns_that_it_missed_something_and_hears_on', async (t) => {
    const ear = Ear.of(user);
    t.after(() => ear.close());
    const before = (await ear.next()).data.connection_id;
    await say(other, 'Heard');
    await until(ear, 'Heard');
    const back = ear.reconnected();
    ear.client.conn.terminate();
    await say(other, 'Maybe missed');
    await back;
    const hello = await ear.next();
    assert.deepEqual([hello.event, hello.seq], ['hello', 0]);
    assert.notEqual(hello.data.connection_id, before);
    assert.equal(ear.missed, 1, 'so it reads again what it shows');
    await say(other, 'Heard again');
    await until(ear, 'Heard again');
    assert.equal(ear.mismatches, 0);
});

test('os_37_the_socket_ends_with_its_session', async () => {
    const once = await signIn(tessera.site, 'user-2');
    const ear = Ear.of(once);
    await ear.next();
    const closed = ear.closed();
    await once.logout();
    await closed;
    ear.close();
});

test('a_challenge_with_a_token_that_is_none_is_turned_away', async () => {
    const ear = Ear.of(user, { token: 'x'.repeat(26) });
    await ear.closed();
    assert.equal(ear.heard.length, 0);
    ear.close();
});

/** A socket by hand: what it hears first, or the status that refused it. */
const knock = (headers) => new Promise((resolve, reject) => {
    const socket = new WebSocket(user.getWebSocketUrl().replace(/^http/, 'ws'), { headers });
    socket.on('message', (message) => {
        resolve(JSON.parse(message));
        socket.terminate();
    });
    socket.on('unexpected-response', (request, response) => {
        resolve(response.statusCode);
        request.destroy();
    });
    socket.on('error', reject);
});

test('os_57_a_browser_is_greeted_by_its_cookie_and_a_page_of_another_site_is_not', async () => {
    const Cookie = `MMAUTHTOKEN=${user.getToken()}`;
    const hello = await knock({ Cookie, Origin: tessera.site });
    assert.deepEqual([hello.event, hello.broadcast.user_id], ['hello', user.id]);
    assert.equal(await knock({ Cookie, Origin: 'https://evil.example' }), 403);
});

test('an_action_that_the_site_does_not_know_is_answered_and_ends_nothing', async (t) => {
    const ear = Ear.of(user);
    t.after(() => ear.close());
    await ear.next();
    const reply = await new Promise((resolve) => ear.client.userTyping(channel.id, '', resolve));
    assert.equal(reply.status, 'FAIL');
    assert.equal(reply.error.status_code, 400);
    await say(other, 'Still here');
    assert.deepEqual(await until(ear, 'Still here'), []);
});
