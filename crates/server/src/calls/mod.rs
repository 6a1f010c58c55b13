//! Expand a context, invoke an App (apps-framework.md sections 5 and 6).
