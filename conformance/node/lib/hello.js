// hello-oauth2, installed on a site, used by its people, and connected in their browsers.


import { flow } from './ask.js';
import { Browser } from './browser.js';
import { install } from './people.js';
import { startHello } from './programs.js';

export const APP = 'hello-oauth2';

/** The App on this site, with these settings, and configured by the administrator through its own form. */
export async function setUp(site, admin, settings, client) {
    const app = await startHello(settings);
    const manifest = await (await fetch(`${app.url}/manifest.json`)).json();
    await install(admin, manifest);
    const told = await command(admin, 'configure', { client_id: client.id, client_secret: client.secret });
    if (told.type !== 'ok') throw new Error(`not configured: ${told.text}`);
    return { ...app, told };
}

/** Calls a command of the App as the web app does: by what its binding says. */
export async function command(person, name, values) {
    const [team] = await person.getMyTeams();
    const channel = await person.getChannelByName(team.id, 'town-square');
    const list = await person.getAppsBindings(channel.id, team.id);
    const commands = list.find(({ location }) => location === '/command').bindings;
    const mine = commands.find(({ app_id: id }) => id === APP);
    const binding = mine.bindings.find(({ label }) => label === name);
    const { path, expand, state } = binding.submit ?? binding.form.submit;
    const context = { app_id: APP, location: `/command/${APP}/${name}`, channel_id: channel.id, team_id: team.id };
    return person.executeAppCall({ path, expand, state, values, context, raw_command: `/${APP} ${name}` }, true);
}

/** A browser of its own in which somebody signed in. */
export async function browserOf(site, name) {
    const browser = new Browser();
    await browser.signIn(site, name);
    return browser;
}

/**
 * From the link that the App gave in the chat to the provider's door: gives the provider's address.
 * `confirmed` tells whether the person was asked first.
 */
export async function toProvider(site, browser) {
    let page = await browser.open(`${site}${flow(APP, 'connect')}`, { from: 'cross-site' });
    const confirmed = page.status === 200;
    if (confirmed) page = await browser.submit(page);
    // A sign-in detour or the form's 303 leads back to connect.
    while (page.location?.startsWith(site)) page = await browser.open(page.location);
    if (page.location === undefined) throw new Error(`${page.status}: ${page.text}`);
    return { url: page.location, confirmed, status: page.status };
}

/** The provider's redirect, followed by the browser. */
export const comeBack = (browser, location) => browser.open(location, { from: 'cross-site' });

