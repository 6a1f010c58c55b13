// Bindings, calls and the life of Apps, as Mattermost's own client asks for them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import types from '@mattermost/types/apps';

import { API, ask, said } from '../lib/ask.js';
import { startFakeApp } from '../lib/fake-app.js';
import { apps, Client4, ClientError, install, signIn, tokensOf } from '../lib/people.js';
import { startTessera } from '../lib/programs.js';
import { APP_RESPONSE, assertShape } from '../lib/shapes.js';

const TOPS = ['/channel_header', '/command', '/post_menu'];
const NOT_GRANTED = 'location is not granted: forbidden';

let tessera;
let site;
let fake;
let user;
let other;
let admin;
let team;
let channel;

before(async () => {
    tessera = await startTessera();
    site = tessera.site;
    fake = await startFakeApp();
    [user, other, admin] = await Promise.all(['user-1', 'user-2', 'sysadmin'].map((name) => signIn(site, name)));
    [team] = await user.getMyTeams();
    channel = await user.getChannelByName(team.id, 'town-square');
});

after(async () => {
    const end = await tessera.stop();
    await fake.stop();
    assert.equal(end.code, 0, end.output);
});

/** One binding in each top location, out of order. */
const everywhere = [
    { location: '/post_menu', bindings: [{ location: 'menu', label: 'Menu', submit: { path: '/do' } }] },
    { location: '/command', bindings: [{ location: 'cmd', submit: { path: '/do' } }] },
    { location: '/channel_header', bindings: [{ location: 'button', label: 'Button', icon: 'i.png', submit: { path: '/do' } }] },
];

/** Installs an App that requests these locations, for the time of a test. */
async function withApp(t, id, more, bindings = everywhere) {
    const path = `/bindings-of/${id}`;
    fake.answer(path, { type: 'ok', data: bindings });
    await install(admin, fake.manifest(id, { bindings: { path }, ...more }));
    t.after(() => apps(admin, '/uninstall-app', { app_id: id }));
    return path;
}

const locations = (list) => (list ?? []).map(({ location }) => location);

/** Bindings and problems, as who tests sees them. */
const tested = () => apps(user, '/bindings?test=true');

/** The text of several problems. */
function problems(...texts) {
    const head = texts.length === 1 ? '1 error occurred:' : `${texts.length} errors occurred:`;
    return `${head}\n${texts.map((text) => `\t* ${text}\n`).join('')}\n`;
}

test('c_bn_01_the_client_gets_the_tree_filled_in_and_the_app_sees_where_it_was_asked', async (t) => {
    const submit = { path: '/do', state: { n: 1 } };
    const expand = {
        acting_user: '+summary', acting_user_access_token: '+all', channel: '+all', team: '+all',
        channel_member: '+all', team_member: '+all',
    };
    const path = '/bindings-of/tree';
    const field = { type: 'text', name: 'a_b' };
    await withApp(t, 'tree', { bindings: { path, expand } }, [{ location: '/command', bindings: [
        { location: 'base', bindings: [
            { location: 'one', submit },
            { location: 'two', label: 'zwei', form: { submit, fields: [field] } },
        ] },
    ] }]);
    const heard = fake.next(path);
    const list = await user.getAppsBindings(channel.id, team.id);
    assert.deepEqual(list, [{ location: '/command', bindings: [
        { app_id: 'tree', location: 'base', label: 'base', bindings: [
            { app_id: 'tree', location: 'one', label: 'one', submit },
            { app_id: 'tree', location: 'two', label: 'zwei', form: { submit, fields: [{ ...field, label: 'a-b' }] } },
        ] },
    ] }]);
    // The web app asks this of all below the top locations; those have neither App nor label from the original either.
    assert.ok(list[0].bindings.every(types.isAppBinding));
    const { context } = (await heard).json;
    assert.deepEqual(
        [context.team.id, context.channel.id, context.channel_member.user_id, context.team_member.user_id],
        [team.id, channel.id, user.id, user.id],
    );
    assert.deepEqual([context.user_agent, context.acting_user.id], ['webapp', user.id]);

    // The web app's older form of the question says more, and may name the agent in the original's way.
    const older = `/bindings?user_id=${user.id}&channel_id=${channel.id}&team_id=${team.id}&user_agent_type=webapp`;
    const again = fake.next(path);
    assert.deepEqual(await apps(user, older), list);
    assert.equal((await again).json.context.user_agent, 'webapp');
});

test('c_bn_02_all_that_was_requested_comes_back_in_order', async (t) => {
    await withApp(t, 'all-three', { requested_locations: ['/post_menu', '/command', '/channel_header'] });
    const { bindings, error } = await tested();
    assert.deepEqual([locations(bindings), error], [TOPS, undefined]);
    const list = await user.getAppsBindings(channel.id, team.id);
    assert.deepEqual(list, bindings);
    for (const top of list) assert.ok(top.bindings.every(types.isAppBinding), JSON.stringify(top));
});

test('c_bn_03_an_app_without_locations_is_not_even_asked', async (t) => {
    const path = await withApp(t, 'nowhere', { requested_locations: [] });
    assert.deepEqual(await tested(), { bindings: null, error: problems('no location granted to bind to: forbidden') });
    assert.equal(await user.getAppsBindings(channel.id, team.id), null);
    assert.deepEqual(fake.calls(path), []);
});

for (const [name, granted] of [
    ['c_bn_04_only_commands_were_requested', ['/command']],
    ['c_bn_05_only_the_channel_header_was_requested', ['/channel_header']],
    ['c_bn_06_only_the_post_menu_was_requested', ['/post_menu']],
    ['c_bn_07_two_were_requested_and_the_third_is_an_error', ['/command', '/post_menu']],
]) {
    test(name, async (t) => {
        await withApp(t, 'some', { requested_locations: granted });
        const { bindings, error } = await tested();
        assert.deepEqual(locations(bindings), granted);
        // In the order in which the App listed them.
        const refused = locations(everywhere).filter((top) => !granted.includes(top));
        assert.equal(error, problems(...refused.map((top) => `${top}: ${NOT_GRANTED}`)));
        assert.deepEqual(locations(await user.getAppsBindings(channel.id, team.id)), granted);
    });
}

test('c_bn_08_a_disabled_app_is_not_asked', async (t) => {
    const path = await withApp(t, 'sleeping', {});
    await apps(admin, '/disable-app', { app_id: 'sleeping' });
    const before = fake.calls(path).length;
    assert.deepEqual(await tested(), { bindings: null });
    assert.equal(fake.calls(path).length, before);
    await apps(admin, '/enable-app', { app_id: 'sleeping' });
    assert.deepEqual(locations(await user.getAppsBindings(channel.id, team.id)), ['/command']);
});

test('c_bn_09_commands_of_several_apps_are_one_entry_with_their_icons', async (t) => {
    const command = (name, icon) => [{ location: '/command', bindings: [{ location: name, icon, submit: { path: '/do' } }] }];
    await withApp(t, 'zoo', {}, command('zebra', 'https://elsewhere.example/i.png'));
    await withApp(t, 'another', {}, command('ant', 'nested/my icon.png'));
    const icon = `${site}/plugins/com.mattermost.apps/apps/another/static/nested/my%20icon.png`;
    assert.deepEqual(await user.getAppsBindings(channel.id, team.id), [{ location: '/command', bindings: [
        { app_id: 'another', location: 'ant', label: 'ant', icon, submit: { path: '/do' } },
        { app_id: 'zoo', location: 'zebra', label: 'zebra', icon: 'https://elsewhere.example/i.png', submit: { path: '/do' } },
    ] }]);
});

test('a_button_of_the_channel_header_without_icon_is_not_for_the_web_app', async (t) => {
    const bindings = [{ location: '/channel_header', bindings: [{ location: 'b', label: 'B', submit: { path: '/do' } }] }];
    await withApp(t, 'bare', { requested_locations: ['/channel_header'] }, bindings);
    assert.equal(await user.getAppsBindings(channel.id, team.id), null);
    assert.deepEqual(locations(await apps(user, '/bindings?user_agent=mobile')), ['/channel_header']);
});

test('submit_form_lookup_and_refresh_pass_through_the_client', async (t) => {
    await withApp(t, 'caller', {});
    const context = { app_id: 'caller', location: '/command/caller/do', channel_id: channel.id, team_id: team.id };
    const call = (path, more) => user.executeAppCall({ path, context, ...more }, true);

    const submit = { path: '/form/submit' };
    const fields = [
        { name: 'who', type: 'dynamic_select', lookup: { path: '/lookup' }, refresh: true, is_required: true },
        { name: 'a_b', type: 'static_select', options: [{ label: 'One', value: '1' }], multiselect: true },
    ];
    fake.answer('/form/open', { type: 'form', form: { title: 'A form', source: { path: '/form/source' }, submit, fields } });
    const opened = await call('/form/open', {});
    assertShape(opened, APP_RESPONSE, 'answer');
    assert.equal(opened.type, 'form');
    assert.deepEqual(opened.form.fields.map(({ label }) => label), ['who', 'a-b'], 'empty labels are filled in');
    assert.ok(types.isAppBinding({ app_id: 'caller', label: 'x', form: opened.form }), 'a form by the client’s own check');

    const items = [{ label: 'Ann', value: '1', icon_data: 'i' }];
    fake.answer('/lookup', { type: 'ok', data: { items } });
    const looked = await call('/lookup', { selected_field: 'who', query: 'an', values: { who: null } });
    assert.deepEqual([looked.type, looked.data], ['ok', { items }]);
    assert.ok(looked.data.items.every(types.isAppSelectOption));
    const asked = fake.calls('/lookup').pop().json;
    assert.deepEqual([asked.selected_field, asked.query, asked.values], ['who', 'an', { who: null }]);

    fake.answer('/form/source', (heard) => ({ type: 'form', form: { submit, title: heard.values.who.label, fields } }));
    const values = { who: { label: 'Ann', value: '1' }, a_b: [{ label: 'One', value: '1' }] };
    const refreshed = await call('/form/source', { selected_field: 'who', values });
    assert.equal(refreshed.form.title, 'Ann');

    fake.answer('/form/submit', { type: 'error', text: 'Not so', data: { errors: { who: 'is away' } } });
    const failed = await call('/form/submit', { values });
    assert.deepEqual([failed.type, failed.text, failed.data.errors], ['error', 'Not so', { who: 'is away' }]);
    fake.answer('/form/submit', { type: 'navigate', navigate_to_url: 'https://elsewhere.example/', use_external_browser: true });
    const gone = await call('/form/submit', { values, raw_command: '/caller do --who @ann' });
    assertShape(gone, APP_RESPONSE, 'answer');
    assert.deepEqual([gone.type, gone.navigate_to_url, gone.use_external_browser], ['navigate', 'https://elsewhere.example/', true]);
    const heard = fake.calls('/form/submit').pop().json;
    assert.deepEqual([heard.values, heard.raw_command], [values, '/caller do --who @ann']);
    assert.deepEqual([heard.context.user_agent, heard.context.track_as_submit], ['webapp', true]);
    for (const name of ['location', 'channel_id', 'team_id']) assert.equal(heard.context[name], undefined, name);
});

test('c_ec_01_the_app_hears_exactly_what_the_client_said_and_the_least_context', async (t) => {
    await withApp(t, 'echotest', { requested_permissions: ['act_as_bot'] });
    const values = { key: 'value', n: 1 };
    await user.executeAppCall({ path: '/echo', values, context: { app_id: 'echotest', channel_id: channel.id } }, false);
    const heard = fake.calls('/echo').pop().json;
    const { bot_user_id, bot_access_token } = heard.context;
    for (const id of [bot_user_id, bot_access_token]) assert.match(id, /^[a-z0-9]{26}$/);
    assert.deepEqual(heard, { path: '/echo', values, context: {
        app_id: '', oauth2: {}, bot_user_id, bot_access_token, mattermost_site_url: site, developer_mode: true,
        app_path: '/plugins/com.mattermost.apps/apps/echotest', user_agent: 'webapp',
    } });
});

test('c_ec_02_the_answer_names_the_bot_which_is_a_user_of_the_site', async (t) => {
    await withApp(t, 'echobot', {});
    const answer = await user.executeAppCall({ path: '/echo', context: { app_id: 'echobot' } }, false);
    assertShape(answer.app_metadata, { bot_user_id: 'string', bot_username: 'string' }, 'app_metadata');
    assert.equal(answer.app_metadata.bot_username, 'echobot');
    const bot = await user.getUser(answer.app_metadata.bot_user_id);
    assert.deepEqual([bot.username, bot.is_bot], ['echobot', true]);
    assert.ok((await user.getAppsBotIDs()).includes(bot.id));
});

test('c_ec_03_another_users_address_is_seen_while_the_site_shows_it', async (t) => {
    const call = { path: '/echo', context: { app_id: 'peeker', user_id: other.id }, expand: { user: 'summary' } };
    await withApp(t, 'peeker', {});
    await user.executeAppCall(call, false);
    const shown = fake.calls('/echo').pop().json.context.user;
    assert.deepEqual([shown.id, shown.email], [other.id, 'user-2@example.com']);

    const shy = await startTessera({ TESSERA_SITE__SHOW_EMAIL_ADDRESS: 'false' });
    t.after(() => shy.stop());
    const [root, reader, read] = await Promise.all(['sysadmin', 'user-1', 'user-2'].map((name) => signIn(shy.site, name)));
    await install(root, fake.manifest('peeker'));
    await reader.executeAppCall({ ...call, context: { app_id: 'peeker', user_id: read.id } }, false);
    const hidden = fake.calls('/echo').pop().json.context.user;
    assert.deepEqual([hidden.id, hidden.email ?? ''], [read.id, '']);
    assert.equal((await reader.getUser(read.id)).email, '');
    assert.equal((await root.getUser(read.id)).email, 'user-2@example.com');
});

async function forbidden(path, app) {
    const before = fake.calls(path).length;
    const answer = await user.executeAppCall({ path, context: { app_id: app } }, true);
    assert.equal(answer.type, 'error', path);
    assert.match(answer.text, /forbidden call path/, path);
    assert.equal(fake.calls(path).length, before, `${path} reached the App`);
}

test('c_cl_01_paths_of_the_server_are_forbidden_to_users', async (t) => {
    await withApp(t, 'reserved', {});
    for (const path of ['/ping', '/oauth2/connect', '/oauth2/complete', '/webhook', '/x/../ping', '//oauth2/connect/']) {
        await forbidden(path, 'reserved');
    }
});

test('c_cl_02_callbacks_of_the_manifest_are_forbidden_to_users', async (t) => {
    const names = [
        'on_install', 'on_uninstall', 'on_version_changed', 'on_enable', 'on_disable', 'get_oauth2_connect_url',
        'on_oauth2_complete', 'on_remote_webhook',
    ];
    const calls = Object.fromEntries(names.map((name) => [name, { path: `/prefix/${name}` }]));
    await withApp(t, 'prefixed', { requested_permissions: ['act_as_bot', 'act_as_user', 'remote_oauth2', 'remote_webhooks'], ...calls });
    for (const name of names) await forbidden(`/prefix/${name}`, 'prefixed');
});

test('a_call_to_no_app_is_an_answer_and_one_without_an_app_an_error', async () => {
    const nobody = await user.executeAppCall({ path: '/do', context: { app_id: 'nobody' } }, true);
    assert.deepEqual(nobody, { type: 'error', text: 'app nobody is not installed: not found', app_metadata: {} });
    const unnamed = await user.executeAppCall({ path: '/do', context: {} }, true).catch((error) => error);
    assert.ok(unnamed instanceof ClientError, String(unnamed));
    const plain = await ask(site, 'POST', `${API}/call`, { token: user.getToken(), body: { path: '/do' } });
    assert.deepEqual(said(plain), [400, 'app ID is not set in Call request: invalid input\n']);
});

test('the_marketplace_and_the_ids_are_what_the_client_reads_them_as', async (t) => {
    await withApp(t, 'on-the-market', { description: 'Sells Things' });
    const [listed] = await user.getMarketplaceApps('on-the-market');
    assert.deepEqual([listed.manifest.app_id, listed.installed, listed.enabled], ['on-the-market', true, true]);
    assert.equal((await user.getMarketplaceApps('sells things')).length, 1);
    assert.ok(Array.isArray(await user.getAppsOAuthAppIDs()));
    assert.deepEqual(await apps(user, '/ping', {}), { version: '1.2.2' });
    const refused = await apps(user, '/disable-app', { app_id: 'on-the-market' }).catch((error) => error);
    assert.ok(refused instanceof ClientError, String(refused));
    assert.equal((await user.getMarketplaceApps('on-the-market'))[0].enabled, true);
});

/** The client with a token that an App was handed. */
function appClient(token) {
    const client = new Client4();
    client.setUrl(site);
    client.setToken(token);
    return client;
}

test('c_ss_01_c_ss_03_an_app_acts_through_the_client_with_the_same_tokens_call_after_call', async (t) => {
    await withApp(t, 'acting', {});
    const tokens = await tokensOf(user, fake, 'acting');
    assert.deepEqual(await tokensOf(user, fake, 'acting'), tokens);
    assert.notEqual((await tokensOf(other, fake, 'acting')).user, tokens.user);
    assert.equal((await tokensOf(other, fake, 'acting')).bot, tokens.bot);

    const [asUser, asBot] = [appClient(tokens.user), appClient(tokens.bot)];
    const [me, bot] = [await asUser.getMe(), await asBot.getMe()];
    assert.deepEqual([me.id, me.roles], [user.id, 'system_user']);
    assert.deepEqual([bot.username, bot.is_bot], ['acting', true]);
    const post = await asUser.createPost({ channel_id: channel.id, message: 'In your name' });
    assert.equal(post.user_id, user.id);
    const direct = await asBot.createDirectChannel([bot.id, user.id]);
    const told = await asBot.createPost({ channel_id: direct.id, message: 'From the bot' });
    assert.deepEqual([told.user_id, told.props.from_bot], [bot.id, 'true']);
    assert.equal((await user.getPost(told.id)).message, 'From the bot');
    const outside = await asBot.createPost({ channel_id: channel.id, message: 'Uninvited' }).catch((error) => error);
    assert.equal(outside.status_code, 403);
});

test('c_ss_05_os_37_tokens_of_a_disabled_or_removed_app_end_at_once_and_no_others', async (t) => {
    await withApp(t, 'staying', {});
    const kept = await tokensOf(user, fake, 'staying');
    for (const [route, id] of [['/disable-app', 'disabled-soon'], ['/uninstall-app', 'removed-soon']]) {
        await install(admin, fake.manifest(id));
        const tokens = await tokensOf(user, fake, id);
        for (const token of Object.values(tokens)) assert.ok((await appClient(token).getMe()).id);
        await apps(admin, route, { app_id: id });
        for (const token of Object.values(tokens)) {
            const ended = await appClient(token).getMe().catch((error) => error);
            assert.equal(ended.status_code, 401, route);
            assert.equal((await ask(site, 'GET', `${API}/oauth2/user`, { token })).status, 401, route);
        }
    }
    for (const token of Object.values(kept)) assert.ok((await appClient(token).getMe()).id);
    assert.equal((await user.getMe()).id, user.id);
});

test('an_icon_comes_through_the_server_and_can_do_nothing_as_the_site', async (t) => {
    const bindings = [{ location: '/command', bindings: [{ location: 'x', icon: 'icon.png', submit: { path: '/do' } }] }];
    await withApp(t, 'pictured', {}, bindings);
    const [top] = await user.getAppsBindings(channel.id, team.id);
    const { icon } = top.bindings[0];
    fake.answer('/static/icon.png', { picture: 1 });
    const shown = await ask(site, 'GET', icon.slice(site.length), { token: user.getToken() });
    assert.deepEqual(said(shown), [200, '{"picture":1}']);
    assert.match(shown.headers.get('content-security-policy'), /sandbox/);
    assert.equal((await ask(site, 'GET', icon.slice(site.length))).status, 401, 'for people of the site');
});
