//! What holds for a component before any request.

use super::{Rule, error};

/// It is an application.
pub static EXPORT: Rule = error(
    "export",
    "An application exports rhost:gateway/app, version 0.1, with the function handle.",
    "gateway.wit, world application",
    "build it with an SDK for gateway 0.1, as a library that lists its routes",
);

/// It finds what it imports.
pub static IMPORT: Rule = error(
    "import",
    "An application imports only what the host lends.",
    "gateway.md, The parties",
    "leave it out, or compose the component with one that exports it",
);

/// What it imports and exports has the gateway's types.
pub static TYPES: Rule = error(
    "types",
    "What is imported and exported has the types that gateway.wit and WASI 0.2 give it.",
    "gateway.wit",
    "rebuild it with an SDK for gateway 0.1",
);

/// It fits into its memory.
pub static MEMORY: Rule = error(
    "initial-memory",
    "A component starts with no more memory than it may have.",
    "operating.md, --memory",
    "allow it more with --memory, or link it with less static data and a smaller stack",
);

/// Its tables fit.
pub static TABLE: Rule = error(
    "initial-table",
    "A component's tables start with no more elements than they may have.",
    "operating.md, --table-elements",
    "allow more with --table-elements",
);
