// Mattermost's websocket client in what a browser would give it, and what it hears as a queue.

import WebSocket from 'ws';

import { WebSocketClient } from './people.js';

// Browsers have these two; the client asks for both.
globalThis.WebSocket ??= WebSocket;
globalThis.CloseEvent ??= class CloseEvent extends Event {
    constructor(type, { code = 0, wasClean = false } = {}) {
        super(type);
        Object.assign(this, { code, wasClean });
    }
};

export class Ear {
    /** What was heard and not yet taken. */
    heard = [];
    /** How often the client was told that it may have missed something. */
    missed = 0;
    /** How often it found a number missing in the stream, and began anew. */
    mismatches = 0;
    #waiting = [];
    #closed = [];

    /** The ear of somebody who signed in, by their token. */
    static of(person, { token = person.getToken() } = {}) {
        return new Ear(person.getWebSocketUrl().replace(/^http/, 'ws'), token);
    }

    constructor(url, token) {
        // Comes back at once: nothing here waits for seconds.
        const quick = { minWebSocketRetryTime: 1, maxWebSocketRetryTime: 1, reconnectJitterRange: 0 };
        this.client = new WebSocketClient({ ...quick, newWebSocketFn: (address) => new WebSocket(address) });
        this.client.addMessageListener((message) => {
            const waiting = this.#waiting.shift();
            if (waiting) waiting(message);
            else this.heard.push(message);
        });
        this.client.addMissedMessageListener(() => { this.missed += 1; });
        this.client.addCloseListener(() => {
            if (this.client.lastErrCode === '4001') this.mismatches += 1;
            this.#closed.splice(0).forEach((resolve) => resolve());
        });
        this.client.initialize(url, token);
    }

    /** The next event. */
    next() {
        const heard = this.heard.shift();
        return heard ? Promise.resolve(heard) : new Promise((resolve) => this.#waiting.push(resolve));
    }

    closed() {
        return new Promise((resolve) => this.#closed.push(resolve));
    }

    reconnected() {
        return new Promise((resolve) => {
            const listener = () => {
                this.client.removeReconnectListener(listener);
                resolve();
            };
            this.client.addReconnectListener(listener);
        });
    }

    close() {
        const { conn } = this.client;
        this.client.close();
        // One that is still on its way would keep the process alive, and come back.
        if (conn) {
            conn.onclose = () => {};
            conn.onerror = () => {};
            conn.terminate();
        }
    }
}
