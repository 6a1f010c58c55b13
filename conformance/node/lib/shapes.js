// The members of Mattermost's entities, as the declarations of @mattermost/types 11.9.0 (lib/*.d.ts) name them.
//
// A type in quotes must be; one that ends in `?` may be missing, as in the declarations. Two kinds of required members
// are noted as optional here, because a real Mattermost leaves them out or fills them with null just so:
//   `~`  left out when it says nothing (Go's `omitempty`): the declarations promise more than the server writes
//   `|null`  the server writes null

import assert from 'node:assert/strict';

export const USER = {
    id: 'string', create_at: 'number', update_at: 'number', delete_at: 'number', username: 'string',
    password: 'string~', auth_data: 'string?', auth_service: 'string', email: 'string', nickname: 'string',
    first_name: 'string', last_name: 'string', position: 'string', roles: 'string', props: 'object~',
    notify_props: 'object~', last_password_update: 'number~', last_picture_update: 'number~', locale: 'string',
    timezone: 'object|null', mfa_active: 'boolean~', last_activity_at: 'number~', is_bot: 'boolean~',
    bot_description: 'string~', terms_of_service_id: 'string~', terms_of_service_create_at: 'number~',
    remote_id: 'string?', failed_attempts: 'number?',
};

export const TEAM = {
    id: 'string', create_at: 'number', update_at: 'number', delete_at: 'number', display_name: 'string',
    name: 'string', description: 'string', email: 'string', type: 'string', company_name: 'string',
    allowed_domains: 'string', invite_id: 'string', allow_open_invite: 'boolean', scheme_id: 'string|null',
    group_constrained: 'boolean|null', policy_id: 'string|null?', last_team_icon_update: 'number?',
};

// The unread counts of the declaration are those of another route (teams/unread), which the web app merges in.
export const TEAM_MEMBER = {
    team_id: 'string', user_id: 'string', roles: 'string', delete_at: 'number', scheme_admin: 'boolean',
    scheme_guest: 'boolean', scheme_user: 'boolean',
};

export const CHANNEL = {
    id: 'string', create_at: 'number', update_at: 'number', delete_at: 'number', team_id: 'string', type: 'string',
    display_name: 'string', name: 'string', header: 'string', purpose: 'string', last_post_at: 'number',
    last_root_post_at: 'number', creator_id: 'string', scheme_id: 'string|null', group_constrained: 'boolean|null',
    shared: 'boolean|null?', props: 'object|null?', policy_id: 'string|null?', total_msg_count: 'number',
    total_msg_count_root: 'number',
};

export const CHANNEL_MEMBER = {
    channel_id: 'string', user_id: 'string', roles: 'string', last_viewed_at: 'number', msg_count: 'number',
    msg_count_root: 'number', mention_count: 'number', mention_count_root: 'number', urgent_mention_count: 'number',
    notify_props: 'object', last_update_at: 'number', scheme_user: 'boolean', scheme_admin: 'boolean',
};

export const POST = {
    id: 'string', create_at: 'number', update_at: 'number', edit_at: 'number', delete_at: 'number',
    is_pinned: 'boolean', user_id: 'string', channel_id: 'string', root_id: 'string', original_id: 'string',
    message: 'string', type: 'string', props: 'object', hashtags: 'string', pending_post_id: 'string',
    reply_count: 'number', file_ids: 'array?', metadata: 'object', last_reply_at: 'number?',
    participants: 'object|null?', is_following: 'boolean?', remote_id: 'string?',
};

export const POST_LIST = {
    order: 'array', posts: 'object', next_post_id: 'string', prev_post_id: 'string',
    first_inaccessible_post_time: 'number', has_next: 'boolean?',
};

export const ROLE = {
    id: 'string', name: 'string', display_name: 'string', description: 'string', create_at: 'number',
    update_at: 'number', delete_at: 'number', permissions: 'array', scheme_managed: 'boolean', built_in: 'boolean',
};

export const PREFERENCE = { category: 'string', name: 'string', user_id: 'string', value: 'string' };

// Declared by client/lib/websocket_message.d.ts and websocket_messages.d.ts.
export const EVENT = { event: 'string', data: 'object', broadcast: 'object', seq: 'number' };
export const BROADCAST = { omit_users: 'object|null', user_id: 'string', channel_id: 'string', team_id: 'string' };
export const HELLO = { server_version: 'string', connection_id: 'string', server_hostname: 'string?' };
export const POSTED = {
    channel_type: 'string', channel_display_name: 'string', channel_name: 'string', sender_name: 'string',
    team_id: 'string', set_online: 'boolean', post: 'string', mentions: 'string?', followers: 'string?',
};

export const APP_RESPONSE = {
    type: 'string', text: 'string?', data: 'any?', navigate_to_url: 'string?', use_external_browser: 'boolean?',
    call: 'object?', form: 'object?', app_metadata: 'object?',
};

const kindOf = (value) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

/** Fails where a member has another type than declared, or is missing. */
export function assertShape(value, shape, what) {
    assert.equal(kindOf(value), 'object', `${what} is an object`);
    for (const [name, declared] of Object.entries(shape)) {
        const optional = /[?~]$/.test(declared);
        const kinds = declared.replace(/[?~]$/, '').split('|');
        if (!(name in value)) {
            assert.ok(optional, `${what}.${name} is missing: ${JSON.stringify(value)}`);
        } else if (!kinds.includes('any')) {
            const kind = kindOf(value[name]);
            assert.ok(kinds.includes(kind), `${what}.${name} is ${kind}, not ${declared}: ${JSON.stringify(value)}`);
        }
    }
}
