// oidc-provider, a certified OpenID provider, as the remote service, and a list of calendars behind it.

import { once } from 'node:events';
import { createServer } from 'node:http';

import Provider from 'oidc-provider';

export const CLIENT = { id: 'hello', secret: 'planted secret & more: 100%+' };

/**
 * PKCE is required, consent asked for, refresh tokens are rotated and an old one ends the grant; access tokens live so
 * short that an App refreshes before each use. `redirectUri` is where it sends browsers back to.
 */
export async function startOidc(redirectUri, { accessTokenLife = 10 } = {}) {
    let handle = (request, response) => response.writeHead(503).end();
    const server = createServer((request, response) => handle(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const issuer = `http://127.0.0.1:${server.address().port}`;
    const provider = new Provider(issuer, {
        clients: [{
            client_id: CLIENT.id,
            client_secret: CLIENT.secret,
            redirect_uris: [redirectUri],
            grant_types: ['authorization_code', 'refresh_token'],
            response_types: ['code'],
            token_endpoint_auth_method: 'client_secret_basic',
        }],
        scopes: ['openid', 'offline_access', 'calendar'],
        pkce: { required: () => true },
        rotateRefreshToken: true,
        features: { devInteractions: { enabled: true }, revocation: { enabled: true } },
        ttl: { AccessToken: accessTokenLife, AuthorizationCode: 60, RefreshToken: 3600, Session: 3600, Interaction: 600, Grant: 3600, IdToken: 60 },
        cookies: { keys: ['a key of the tests alone'] },
        findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    });
    // What happened, by name and grant type; refused requests too.
    const seen = [];
    provider.on('grant.success', (ctx) => seen.push({ what: ctx.oidc.params.grant_type, params: { ...ctx.oidc.params } }));
    provider.on('grant.error', (ctx, error) => seen.push({ what: 'refused', error: error.error, detail: error.error_detail }));
    provider.on('revocation.error', (ctx, error) => seen.push({ what: 'refused', error: error.error }));
    provider.on('grant.revoked', (ctx, grantId) => seen.push({ what: 'revoked', grantId }));
    provider.on('server_error', (ctx, error) => seen.push({ what: 'broken', error: String(error) }));

    const calendars = async (request, response) => {
        const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
        const found = token && await provider.AccessToken.find(token);
        const good = found && found.isValid && found.scope.split(' ').includes('calendar');
        const body = good ? { items: [{ summary: `The calendar of ${found.accountId}` }] } : { error: 'invalid_token' };
        response.writeHead(good ? 200 : 401, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    };
    const callback = provider.callback();
    handle = (request, response) => {
        if (request.url === '/calendars') calendars(request, response).catch((error) => response.destroy(error));
        else callback(request, response);
    };
    const count = (what) => seen.filter((one) => one.what === what).length;
    return {
        issuer,
        provider,
        seen,
        count,
        /** What hello-oauth2 is told of it. */
        settings: {
            HELLO_OAUTH2_PROVIDER: 'the provider',
            HELLO_OAUTH2_AUTHORIZE_URL: `${issuer}/auth`,
            HELLO_OAUTH2_TOKEN_URL: `${issuer}/token`,
            HELLO_OAUTH2_REVOKE_URL: `${issuer}/token/revocation`,
            HELLO_OAUTH2_CALENDAR_URL: `${issuer}/calendars`,
            HELLO_OAUTH2_ISSUER: issuer,
            HELLO_OAUTH2_SCOPES: 'openid offline_access calendar',
            HELLO_OAUTH2_AUTHORIZE_PARAMS: 'prompt=consent',
        },
        /** The way through its pages; ends where it sends the browser back, or where `decide` says no. */
        async pass(browser, login, decide = 'agree') {
            let page = await browser.follow(await browser.open(login.url), (to) => to.startsWith(redirectUri));
            for (let step = 0; page.location === undefined; step += 1) {
                if (step === 4) throw new Error(`the provider shows too many pages: ${page.text}`);
                const { fields } = page.form();
                if (fields.prompt === 'login') {
                    page = await browser.submit(page, { login: login.name, password: 'any' });
                } else if (decide === 'agree') {
                    page = await browser.submit(page);
                } else {
                    page = await browser.open(page.link('Cancel'));
                }
                page = await browser.follow(page, (to) => to.startsWith(redirectUri));
            }
            return page.location;
        },
        stop: () => new Promise((resolve) => {
            server.close(resolve);
            server.closeAllConnections();
        }),
    };
}
