//! One call to an App: address, JWT, limits and the meaning of its answer (apps-framework.md section 7).
