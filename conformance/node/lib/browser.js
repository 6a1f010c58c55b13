// A browser that takes one step at a time: it keeps cookies for each host and path, says where it comes from as
// browsers do, fills in forms, and follows redirects only when told. Built on node:http, because `fetch` sets the
// `Sec-Fetch-` headers itself.

import { request } from 'node:http';

const unescaped = (text) => text
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(code))
    .replace(/&#x([0-9a-f]+);/gi, (_, code) => String.fromCodePoint(parseInt(code, 16)))
    .replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

const attributesOf = (tag) => Object.fromEntries(
    [...tag.matchAll(/([a-z-]+)(?:="([^"]*)")?/gi)].map(([, name, value = '']) => [name.toLowerCase(), unescaped(value)]),
);

/** An answer, and where it came from. */
class Page {
    constructor(url, status, headers, text) {
        Object.assign(this, { url, status, headers, text });
    }

    /** Where it redirects to, in full; undefined where it does not. */
    get location() {
        const { location } = this.headers;
        return location && new URL(location, this.url).href;
    }

    /** The target of the first link with this text in it. */
    link(text) {
        for (const [, tag, inside] of this.text.matchAll(/<a\s([^>]*)>([\s\S]*?)<\/a>/g)) {
            if (inside.includes(text)) return new URL(attributesOf(tag).href, this.url).href;
        }
        throw new Error(`no link "${text}" in ${this.text}`);
    }

    /** The first form that posts: where to, and its fields. */
    form() {
        const [, tag, inside] = /<form\s([^>]*method="post"[^>]*)>([\s\S]*?)<\/form>/i.exec(this.text) ?? [];
        if (tag === undefined) throw new Error(`${this.status} ${this.url} has no form: ${this.text}`);
        const inputs = [...inside.matchAll(/<input\s([^>]*)>/g)].map(([, input]) => attributesOf(input));
        const action = new URL(attributesOf(tag).action || this.url, this.url).href;
        return { action, fields: Object.fromEntries(inputs.map(({ name, value = '' }) => [name, value])) };
    }
}

export class Browser {
    /** Name, value, host and path; what has expired is gone. */
    jar = [];
    /** The address bar. */
    #origin = null;

    cookiesFor(url) {
        const { hostname, pathname } = new URL(url);
        const under = (path) => pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
        return this.jar.filter(({ host, path }) => host === hostname && under(path));
    }

    cookie(url, name) {
        return this.cookiesFor(url).find((cookie) => cookie.name === name)?.value;
    }

    #keep(url, lines = []) {
        const { hostname, pathname } = new URL(url);
        for (const line of lines) {
            const [pair, ...rest] = line.split(/;\s*/);
            const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
            const attributes = Object.fromEntries(rest.map((one) => {
                const at = one.indexOf('=');
                return at < 0 ? [one.toLowerCase(), ''] : [one.slice(0, at).toLowerCase(), one.slice(at + 1)];
            }));
            const path = attributes.path ?? (pathname.slice(0, pathname.lastIndexOf('/')) || '/');
            this.jar = this.jar.filter((old) => old.name !== name || old.host !== hostname || old.path !== path);
            const gone = attributes['max-age'] === '0' || (attributes.expires && Date.parse(attributes.expires) < Date.now());
            if (!gone) this.jar.push({ name, value, host: hostname, path, httpOnly: 'httponly' in attributes });
        }
    }

    /** One request of a whole window. `from` is what led there: `none`, `same-origin` or `cross-site`. */
    async send(method, url, { body, from, headers = {} } = {}) {
        const target = new URL(url);
        const site = from ?? (this.#origin === null ? 'none' : this.#origin === target.origin ? 'same-origin' : 'cross-site');
        const cookies = this.cookiesFor(url).map(({ name, value }) => `${name}=${value}`).join('; ');
        const all = {
            Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
            'Sec-Fetch-Site': site,
            'Sec-Fetch-Mode': 'navigate',
            'Sec-Fetch-Dest': 'document',
            ...(cookies && { Cookie: cookies }),
            ...(body !== undefined && {
                'Content-Type': 'application/x-www-form-urlencoded',
                'Content-Length': Buffer.byteLength(body),
                Origin: this.#origin ?? 'null',
            }),
            ...headers,
        };
        const page = await new Promise((resolve, reject) => {
            const sent = request(target, { method, headers: all, agent: false }, (response) => {
                const chunks = [];
                response.on('data', (chunk) => chunks.push(chunk));
                response.on('error', reject);
                response.on('end', () => {
                    resolve(new Page(url, response.statusCode, response.headers, Buffer.concat(chunks).toString()));
                });
            });
            sent.on('error', reject);
            sent.end(body);
        });
        this.#keep(url, page.headers['set-cookie']);
        if (page.location === undefined) this.#origin = target.origin;
        return page;
    }

    /** Goes somewhere: an address typed in, or a link of the page that is shown. */
    open(url, options) {
        return this.send('GET', url, options);
    }

    /** Sends a page's form with these fields filled in. */
    submit(page, fields = {}) {
        const form = page.form();
        const body = new URLSearchParams({ ...form.fields, ...fields }).toString();
        return this.send('POST', form.action, { body });
    }

    /** Follows redirects until there is a page, or until one leads to where `stop` says. Bodies are not sent again. */
    async follow(page, stop = () => false) {
        for (let step = 0; page.location !== undefined; step += 1) {
            if (step === 20) throw new Error(`no end of redirects at ${page.url}`);
            if (stop(page.location)) return page;
            page = await this.open(page.location);
        }
        return page;
    }

    /** Signs in at the site's own page. */
    async signIn(site, name, password = 'tessera-dev') {
        const page = await this.open(`${site}/login`);
        const answer = await this.submit(page, { login_id: name, password });
        if (answer.status !== 303) throw new Error(`${answer.status}: ${answer.text}`);
        return this.follow(answer);
    }
}
