//! What a user agent fetches to draw an App's commands, buttons and menus (apps-framework.md sections 2.8 and 10).
mod late;
mod stage;
mod tree;
