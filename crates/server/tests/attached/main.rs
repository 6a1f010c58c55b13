//! The service beside a Mattermost that is not ours: who is calling, bots, tokens, the browser flow (mattermost-attach.md
//! part C), through one front door as people and Apps reach both.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml allows these in tests, and does not see that the helpers in here are"
)]

mod again;
mod apart;
mod buttons;
mod choices;
mod commands;
mod dialogs;
mod doctor;
mod flow;
mod followed;
mod mentions;
mod people;
mod proxies;
mod relay;
mod scene;
mod setup;
mod sub_path;
mod tokens;
mod told;
mod windows;
