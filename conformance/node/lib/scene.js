// A site, oidc-provider as the remote service, an App between them, and three people.

import assert from 'node:assert/strict';

import { flow } from './ask.js';
import { actionsOf, browserOf, comeBack } from './hello.js';
import { CLIENT, startOidc } from './oidc.js';
import { signIn } from './people.js';
import { startTessera } from './programs.js';

/** Starts it all with this App, `RUST` or `GO`, which the administrator has configured. */
export async function startScene(app) {
    const { setUp, toProvider } = actionsOf(app);
    /** What may stand in no log. */
    const secrets = [CLIENT.secret];
    const tessera = await startTessera();
    const { site } = tessera;
    const oidc = await startOidc(`${site}${flow(app.id, 'complete')}`);
    try {
        const [admin, user, other] = await Promise.all(['sysadmin', 'user-1', 'user-2'].map((name) => signIn(site, name)));
        const hello = await setUp(site, admin, oidc.settings, CLIENT);

        /** Connects somebody, the whole way; gives the page at its end. */
        async function connect(name, decide) {
            const browser = await browserOf(site, name);
            const { url, confirmed, status } = await toProvider(site, browser);
            const back = await oidc.pass(browser, { url, name: `${name}@provider` }, decide);
            const code = new URL(back).searchParams.get('code');
            if (code) secrets.push(code);
            const page = await comeBack(browser, back);
            return { browser, url, back, page, confirmed, status };
        }

        /** What the provider refused since. */
        const refused = (since) => (
            oidc.seen.slice(since).filter(({ what }) => what === 'refused').map(({ error }) => error)
        );

        /** The refresh tokens that were used since, in their order. */
        const refreshedBy = (since) => {
            const used = oidc.seen.slice(since).filter(({ what }) => what === 'refresh_token');
            const tokens = used.map(({ params }) => params.refresh_token);
            secrets.push(...tokens);
            return tokens;
        };

        /** The person ends the access on the provider's side, as on its page of connected applications. */
        async function endGrant(name) {
            const [used] = refreshedBy(0).slice(-1);
            const token = await oidc.provider.RefreshToken.find(used);
            assert.equal(token.accountId, `${name}@provider`);
            const grant = await oidc.provider.Grant.find(token.grantId);
            await grant.destroy();
        }

        /** Ends it all, and looks at how it went. */
        async function stop() {
            const [server, program] = [await tessera.stop(), await hello.stop()];
            await oidc.stop();
            assert.equal(server.code, 0, server.output);
            // hello-oauth2 leaves the signal to the system.
            assert.ok(program.code === 0 || program.signal === 'SIGTERM', program.output);
            assert.deepEqual(oidc.seen.filter(({ what }) => what === 'broken'), []);
            for (const secret of secrets) {
                assert.ok(!server.output.includes(secret) && !program.output.includes(secret), 'a secret is in a log');
            }
        }

        return { site, oidc, hello, admin, user, other, secrets, connect, refused, refreshedBy, endGrant, stop };
    } catch (error) {
        // What was started would keep the process alive.
        await Promise.all([tessera.stop(), oidc.stop()]);
        throw error;
    }
}
