// An App that leads to a provider: installed on a site, used by its people, and connected in their browsers.

import { flow } from './ask.js';
import { Browser } from './browser.js';
import { install } from './people.js';
import { startGoapp, startHello } from './programs.js';

/** examples/hello-oauth2, on this project's driver. */
export const RUST = { id: 'hello-oauth2', start: startHello };
/** conformance/go's App on the original's driver; it takes the same settings. */
export const GO = { id: 'hello-goapp', start: startGoapp };

/** What is done with one of them. */
export function actionsOf({ id: app, start }) {
    /** The App on this site, with these settings, and configured by the administrator through its own form. */
    async function setUp(site, admin, settings, client) {
        const program = await start(settings);
        try {
            const manifest = await (await fetch(`${program.url}/manifest.json`)).json();
            await install(admin, manifest);
            const told = await command(admin, 'configure', { client_id: client.id, client_secret: client.secret });
            if (told.type !== 'ok') throw new Error(`not configured: ${told.text}`);
            return { ...program, told };
        } catch (error) {
            await program.stop();
            throw error;
        }
    }

    /** Calls a command of the App as the web app does: by what its binding says. */
    async function command(person, name, values) {
        const [team] = await person.getMyTeams();
        const channel = await person.getChannelByName(team.id, 'town-square');
        const list = await person.getAppsBindings(channel.id, team.id);
        const commands = list.find(({ location }) => location === '/command').bindings;
        const mine = commands.find(({ app_id: id }) => id === app);
        const binding = mine.bindings.find(({ label }) => label === name);
        const { path, expand, state } = binding.submit ?? binding.form.submit;
        const context = { app_id: app, location: `/command/${app}/${name}`, channel_id: channel.id, team_id: team.id };
        return person.executeAppCall({ path, expand, state, values, context, raw_command: `/${app} ${name}` }, true);
    }

    /**
     * From the link that the App gave in the chat to the provider's door: gives the provider's address.
     * `confirmed` tells whether the person was asked first.
     */
    async function toProvider(site, browser) {
        let page = await browser.open(`${site}${flow(app, 'connect')}`, { from: 'cross-site' });
        const confirmed = page.status === 200;
        if (confirmed) page = await browser.submit(page);
        // A sign-in detour or the form's 303 leads back to connect.
        while (page.location?.startsWith(site)) page = await browser.open(page.location);
        if (page.location === undefined) throw new Error(`${page.status}: ${page.text}`);
        return { url: page.location, confirmed, status: page.status };
    }

    return { setUp, command, toProvider };
}

/** A browser of its own in which somebody signed in. */
export async function browserOf(site, name) {
    const browser = new Browser();
    await browser.signIn(site, name);
    return browser;
}

/** The provider's redirect, followed by the browser. */
export const comeBack = (browser, location) => browser.open(location, { from: 'cross-site' });
