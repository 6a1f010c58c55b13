//! What a user agent sees of Apps beside OAuth2 and bindings (apps-framework.md sections 2.7, 2.9, 2.12 to 2.16).

mod console;
mod echo;
mod files;
mod inspector;
mod lists;
mod stage;
