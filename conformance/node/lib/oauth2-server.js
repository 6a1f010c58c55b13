// @node-oauth/oauth2-server as the remote service: another mind than oidc-provider. It knows no OpenID and writes no
// `iss`; reads HTTP Basic without form-decoding, so that a secret with signs in it has to come in the form; keeps a
// refresh token for as long as it lives; spends a code before it looks at PKCE; and has no revocation endpoint.
//
// Pages and storage are the library's user's to write, hence here; what is right on the wire is the library's.

import { once } from 'node:events';
import { createServer } from 'node:http';

import OAuth2Server from '@node-oauth/oauth2-server';

export const CLIENT = { id: 'hello', secret: 'planted secret & more: 100%+' };

const attribute = (text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');

export async function startOAuth2Server(redirectUri, { accessTokenLife = 10 } = {}) {
    const codes = new Map();
    const tokens = new Map();
    const refreshTokens = new Map();
    const client = { id: CLIENT.id, redirectUris: [redirectUri], grants: ['authorization_code', 'refresh_token'] };
    const oauth = new OAuth2Server({
        model: {
            getClient: (id, secret) => id === CLIENT.id && (secret === null || secret === CLIENT.secret) && client,
            validateScope: (user, _, scope) => scope?.every((one) => one === 'calendar') && scope,
            saveAuthorizationCode: (code, of, user) => {
                const saved = { ...code, client: of, user };
                codes.set(code.authorizationCode, saved);
                return saved;
            },
            getAuthorizationCode: (code) => codes.get(code),
            revokeAuthorizationCode: ({ authorizationCode }) => codes.delete(authorizationCode),
            saveToken: (token, of, user) => {
                const saved = { ...token, client: of, user };
                tokens.set(token.accessToken, saved);
                if (token.refreshToken) refreshTokens.set(token.refreshToken, saved);
                return saved;
            },
            getAccessToken: (token) => tokens.get(token),
            getRefreshToken: (token) => refreshTokens.get(token),
            revokeToken: ({ refreshToken }) => refreshTokens.delete(refreshToken),
            verifyScope: (token, scope) => scope.every((one) => token.scope.includes(one)),
        },
        accessTokenLifetime: accessTokenLife,
        alwaysIssueNewRefreshToken: false,
    });
    // Grant types and errors at the token endpoint, in their order.
    const seen = [];

    async function answer(request, response) {
        const url = new URL(request.url, 'http://provider');
        const chunks = [];
        for await (const chunk of request) chunks.push(chunk);
        const body = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
        const query = Object.fromEntries(url.searchParams);
        const asked = new OAuth2Server.Request({ headers: request.headers, method: request.method, query, body });
        const answered = new OAuth2Server.Response({});
        const send = (text) => {
            const type = text === undefined && { 'Content-Type': 'application/json' };
            response.writeHead(answered.status, { ...type, ...answered.headers });
            response.end(text ?? JSON.stringify(answered.body));
        };
        if (url.pathname === '/authorize' && request.method === 'GET') {
            const inputs = Object.entries(query)
                .map(([name, value]) => `<input type="hidden" name="${attribute(name)}" value="${attribute(value)}">`);
            answered.set('Content-Type', 'text/html');
            send(`<form action="/authorize" method="post">${inputs.join('')}<input name="login"><input name="allowed"></form>`);
        } else if (url.pathname === '/authorize') {
            const authenticateHandler = { handle: () => body.login && { id: body.login } };
            // What the library throws it has also written as a redirect.
            await oauth.authorize(asked, answered, { authenticateHandler }).catch(() => {});
            if (!answered.get('Location')) answered.status = 400;
            send();
        } else if (url.pathname === '/token') {
            const failed = await oauth.token(asked, answered).then(() => undefined, (error) => error.name);
            seen.push({ what: failed ? 'refused' : body.grant_type, error: failed, form: body });
            send();
        } else if (url.pathname === '/calendars') {
            const token = await oauth.authenticate(asked, answered, { scope: ['calendar'] }).catch(() => undefined);
            answered.status = token ? 200 : 401;
            answered.body = token ? { items: [{ summary: `The calendar of ${token.user.id}` }] } : {};
            send();
        } else {
            response.writeHead(404).end();
        }
    }

    const server = createServer((request, response) => {
        answer(request, response).catch((error) => {
            seen.push({ what: 'broken', error: String(error) });
            response.destroy();
        });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const root = `http://127.0.0.1:${server.address().port}`;
    return {
        seen,
        count: (what) => seen.filter((one) => one.what === what).length,
        settings: {
            HELLO_OAUTH2_PROVIDER: 'the other',
            HELLO_OAUTH2_AUTHORIZE_URL: `${root}/authorize`,
            HELLO_OAUTH2_TOKEN_URL: `${root}/token`,
            HELLO_OAUTH2_CALENDAR_URL: `${root}/calendars`,
            HELLO_OAUTH2_SCOPES: 'calendar',
            HELLO_OAUTH2_CLIENT_AUTH: 'form',
        },
        async pass(browser, login, decide = 'agree') {
            const page = await browser.open(login.url);
            const end = await browser.submit(page, { login: login.name, allowed: String(decide === 'agree') });
            if (!end.location) throw new Error(`${end.status}: ${end.text}`);
            return end.location;
        },
        /** Forgets all that somebody allowed. */
        forget(name) {
            for (const known of [tokens, refreshTokens]) {
                for (const [key, { user }] of known) if (user.id === name) known.delete(key);
            }
        },
        stop: () => new Promise((resolve) => {
            server.close(resolve);
            server.closeAllConnections();
        }),
    };
}
