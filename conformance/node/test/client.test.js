// Mattermost's own client against the stand-in site: it signs in, looks round, and posts.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { ask } from '../lib/ask.js';
import { Client4, ClientError, PASSWORD, signIn } from '../lib/people.js';
import { startTessera } from '../lib/programs.js';
import {
    assertShape, CHANNEL, CHANNEL_MEMBER, POST, POST_LIST, ROLE, TEAM, TEAM_MEMBER, USER,
} from '../lib/shapes.js';

let tessera;
let site;
let user;
let other;
let admin;

before(async () => {
    tessera = await startTessera();
    site = tessera.site;
    [user, other, admin] = await Promise.all(['user-1', 'user-2', 'sysadmin'].map((name) => signIn(site, name)));
});

after(async () => {
    const end = await tessera.stop();
    assert.equal(end.code, 0, end.output);
    for (const person of [user, other, admin]) {
        assert.ok(!end.output.includes(person.getToken()), 'a session token is in the log');
    }
});

const town = async (person) => {
    const [team] = await person.getMyTeams();
    return { team, channel: await person.getChannelByName(team.id, 'town-square') };
};

test('the_client_signs_in_and_gets_its_token_from_the_header', async () => {
    assert.match(user.getToken(), /^[a-z0-9]{26}$/);
    assertShape(user.me, { ...USER, notify_props: 'object' }, 'login');
    assert.equal(user.me.username, 'user-1');
    assert.equal(user.me.password, undefined);
    const me = await user.getMe();
    assert.deepEqual(me, await user.getUser(user.id));
    assertShape(me, { ...USER, notify_props: 'object' }, 'users/me');
});

test('a_wrong_password_is_an_error_in_mattermosts_shape', async () => {
    const stranger = new Client4();
    stranger.setUrl(site);
    const failed = await stranger.login('user-1', `not ${PASSWORD}`).catch((error) => error);
    assert.ok(failed instanceof ClientError, String(failed));
    assert.equal(failed.status_code, 401);
    assert.equal(failed.server_error_id, 'api.user.login.invalid_credentials_email_username');
    assert.ok(failed.message.length > 0);
    assert.equal(stranger.getToken(), '');
    const nobody = await stranger.getMe().catch((error) => error);
    assert.deepEqual([nobody.status_code, nobody.server_error_id], [401, 'api.context.session_expired.app_error']);
});

test('a_route_or_an_entity_that_is_not_there_is_404_in_mattermosts_shape', async () => {
    const unknown = await user.getTeam('x'.repeat(26)).catch((error) => error);
    assert.ok(unknown instanceof ClientError);
    assert.equal(unknown.status_code, 404);
    const noRoute = await user.getMyTeamUnreads().catch((error) => error);
    assert.deepEqual([noRoute.status_code, noRoute.server_error_id], [404, 'api.context.404.app_error']);
});

test('signing_out_ends_the_session_and_what_it_could', async () => {
    const once = await signIn(site, 'user-2');
    const token = once.getToken();
    assert.equal((await once.logout()).status, 200);
    assert.equal(once.getToken(), '');
    once.setToken(token);
    assert.equal((await once.getMe().catch((error) => error)).status_code, 401);
    assert.equal((await other.getMe()).id, other.id, 'another session of the same person goes on');
});

test('people_are_found_by_id_ids_and_name', async () => {
    const found = await user.getProfilesByIds([other.id, admin.id, 'x'.repeat(26)]);
    assert.deepEqual(found.map(({ id }) => id).sort(), [other.id, admin.id].sort());
    for (const profile of [...found, await user.getUser(other.id), await user.getUserByUsername('user-2')]) {
        assertShape(profile, USER, 'profile');
        assert.equal(profile.notify_props, undefined, 'private to its owner');
    }
    assert.equal((await user.getUserByUsername('user-2')).id, other.id);
    const nobody = await user.getUserByUsername('nobody').catch((error) => error);
    assert.equal(nobody.status_code, 404);
    assert.deepEqual(await user.getMyPreferences(), []);
});

test('roles_and_preferences_have_their_shapes', async () => {
    const roles = await user.getRolesByNames(['system_user', 'system_admin', 'no_such_role']);
    assert.deepEqual(roles.map(({ name }) => name).sort(), ['system_admin', 'system_user']);
    for (const role of roles) assertShape(role, ROLE, 'role');
    const mighty = roles.find(({ name }) => name === 'system_admin');
    assert.ok(mighty.permissions.includes('manage_system'));
});

test('teams_channels_and_memberships_have_their_shapes', async () => {
    const { team, channel } = await town(user);
    assertShape(team, TEAM, 'team');
    assert.deepEqual(await user.getTeam(team.id), team);
    assert.deepEqual(await user.getTeamByName(team.name), team);
    assert.deepEqual(await user.getTeamsForUser('me'), await user.getMyTeams());
    const memberships = await user.getMyTeamMembers();
    assert.deepEqual(memberships.map(({ user_id, team_id }) => [user_id, team_id]), [[user.id, team.id]]);
    assertShape(memberships[0], TEAM_MEMBER, 'team member');
    assert.deepEqual(await user.getTeamMember(team.id, user.id), memberships[0]);

    assertShape(channel, CHANNEL, 'channel');
    assert.deepEqual(await user.getChannel(channel.id), channel);
    const channels = await user.getMyChannels(team.id);
    assert.ok(channels.some(({ name }) => name === 'off-topic'), JSON.stringify(channels));
    for (const each of channels) assertShape(each, CHANNEL, 'channel');
    const mine = await user.getMyChannelMembers(team.id);
    assert.deepEqual(mine.map((one) => one.channel_id).sort(), channels.map(({ id }) => id).sort());
    for (const each of mine) assertShape(each, CHANNEL_MEMBER, 'channel member');
    assert.equal((await user.getMyChannelMember(channel.id)).user_id, user.id);
    const all = await user.getChannelMembers(channel.id);
    assert.ok(all.some((member) => member.user_id === other.id));
});

test('a_post_is_made_listed_and_read_with_the_shapes_of_mattermost', async () => {
    const { channel } = await town(user);
    const draft = { channel_id: channel.id, message: 'Yes <b> & "no"', pending_post_id: `${user.id}:1`, props: { a: 1 } };
    const post = await user.createPost(draft);
    assertShape(post, POST, 'post');
    assert.deepEqual([post.message, post.user_id, post.pending_post_id], [draft.message, user.id, draft.pending_post_id]);
    assert.deepEqual(post.props, { a: 1 });
    const reply = await other.createPost({ channel_id: channel.id, root_id: post.id, message: 'A reply' });

    const read = await other.getPost(post.id);
    assertShape(read, POST, 'post');
    assert.deepEqual([read.message, read.reply_count], [draft.message, 1]);
    const list = await user.getPosts(channel.id, 0, 30);
    assertShape(list, POST_LIST, 'post list');
    assert.deepEqual(list.order.slice(0, 2), [reply.id, post.id], 'newest first');
    for (const id of list.order) assertShape(list.posts[id], POST, 'post of a list');
    assert.deepEqual((await user.getPosts(channel.id, 0, 1)).order, [reply.id]);
    assert.deepEqual((await user.getPosts(channel.id, 1, 1)).order, [post.id]);
    const since = await user.getPostsSince(channel.id, reply.create_at - 1);
    assert.ok(since.order.includes(reply.id));

    const refused = await user.createPost({ channel_id: 'x'.repeat(26), message: 'Nowhere' }).catch((error) => error);
    assert.ok(refused instanceof ClientError && refused.status_code === 403, String(refused));
});

test('a_direct_channel_is_made_once_and_is_private_to_its_two', async () => {
    const direct = await user.createDirectChannel([user.id, other.id]);
    assertShape(direct, CHANNEL, 'direct channel');
    assert.deepEqual([direct.type, direct.team_id], ['D', '']);
    assert.deepEqual(direct.name, [user.id, other.id].sort().join('__'));
    assert.equal((await other.createDirectChannel([other.id, user.id])).id, direct.id);
    const post = await user.createPost({ channel_id: direct.id, message: 'Between us' });
    assert.equal((await other.getPost(post.id)).message, 'Between us');
    const third = await signIn(site, 'sysadmin');
    assert.deepEqual((await third.getMyChannels((await town(third)).team.id)).filter(({ id }) => id === direct.id), []);
});

test('ping_configuration_and_licence_need_no_session', async () => {
    const stranger = new Client4();
    stranger.setUrl(site);
    assert.equal((await stranger.ping(false)).status, 'OK');
    const config = await stranger.getClientConfig();
    assert.ok(Object.values(config).every((value) => typeof value === 'string'), JSON.stringify(config));
    for (const name of ['AppsPluginEnabled', 'FeatureFlagAppsEnabled', 'PluginsEnabled']) {
        assert.equal(config[name], 'true', name);
    }
    assert.equal(config.SiteURL, site);
    assert.equal(config.Version, '8.1.0');
    assert.deepEqual(await stranger.getClientLicenseOld(), { IsLicensed: 'false' });
});

test('the_client_learns_the_servers_version_as_from_a_mattermost', async () => {
    // It takes `X-Version-Id` from an answer only where no `Cache-Control` is, as it may be an old answer otherwise.
    const stranger = new Client4();
    stranger.setUrl(site);
    assert.equal(stranger.getServerVersion(), '');
    await stranger.getClientConfig();
    assert.match(stranger.getServerVersion(), /^8\.1\.0/);
});

test('os_53_what_holds_a_token_or_somebodys_data_is_kept_by_no_cache', async () => {
    const login = await ask(site, 'POST', '/api/v4/users/login', { body: { login_id: 'user-2', password: PASSWORD } });
    const me = await ask(site, 'GET', '/api/v4/users/me', { token: user.getToken() });
    for (const answer of [login, me]) {
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.headers.get('cache-control'), 'no-store');
        assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
        assert.equal(answer.headers.get('content-type'), 'application/json');
        assert.equal(answer.headers.get('access-control-allow-origin'), null);
    }
});

test('os_52_a_token_counts_in_the_header_alone_in_both_schemes_and_any_case', async () => {
    const token = user.getToken();
    for (const scheme of ['Bearer', 'BEARER', 'bearer', 'token', 'TOKEN']) {
        const answer = await ask(site, 'GET', '/api/v4/users/me', { headers: { Authorization: `${scheme} ${token}` } });
        assert.equal(answer.status, 200, scheme);
    }
    const inQuery = await ask(site, 'GET', `/api/v4/users/me?access_token=${token}`);
    assert.equal(inQuery.status, 401);
});
