// People of the development site, signed in by Mattermost's own client, and what they do with Apps.

import client from '@mattermost/client';

import { API, ask } from './ask.js';

export const { Client4, ClientError, WebSocketClient } = client;
export const PASSWORD = 'tessera-dev';

/** Signs in by the client. */
export async function signIn(site, name) {
    const person = new Client4();
    person.setUrl(site);
    const me = await person.login(name, PASSWORD);
    return Object.assign(person, { me, id: me.id });
}

/** Asks a route of the Apps framework through the client. */
export function apps(person, route, body) {
    const options = body === undefined ? { method: 'get' } : { method: 'post', body: JSON.stringify(body) };
    return person.doFetch(`${person.getAppsProxyRoute()}/api/v1${route}`, options);
}

/** Lists an App and installs it. */
export async function install(admin, manifest) {
    await apps(admin, '/update-app-listing', { Replace: true, ...manifest });
    return apps(admin, '/install-app', { app_id: manifest.app_id, deploy_type: 'http' });
}

/** What the App hears when this person calls it and all of OAuth2 is expanded: also the App's two tokens. */
export async function contextOf(person, fake, app) {
    const heard = fake.next('/context');
    const expand = { acting_user: 'summary', acting_user_access_token: 'all', oauth2_app: 'all', oauth2_user: 'all' };
    const call = { path: '/context', context: { app_id: app }, expand };
    const answer = await person.executeAppCall(call, false);
    if (answer.type !== 'ok') throw new Error(`the call failed: ${answer.text}`);
    return (await heard).json.context;
}

/** The tokens with which an App acts: as this person, and as its bot. */
export async function tokensOf(person, fake, app) {
    const context = await contextOf(person, fake, app);
    return { user: context.acting_user_access_token, bot: context.bot_access_token };
}

/** The record of a token's holder, as plain text; empty where there is none. */
export async function recordOf(site, token) {
    const answer = await ask(site, 'GET', `${API}/oauth2/user`, { token });
    if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text}`);
    return answer.text;
}
