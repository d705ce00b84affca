//! What a request ran into, to be counted.

/// Why a request was refused, or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// Time on a CPU.
    Cpu,
    /// Time on the clock.
    Wall,
    /// Memory.
    Memory,
    /// Elements of a table.
    Table,
    /// Octets of request body.
    RequestBody,
    /// Octets of response body.
    ResponseBody,
    /// The app's queue was full.
    Queue,
    /// It waited in the app's queue for as long as it may.
    QueueTimeout,
    /// The queue of the app's tenant was full.
    TenantQueue,
    /// It waited in the tenant's queue for as long as it may.
    TenantQueueTimeout,
    /// Other apps had all sandboxes of its size.
    NoSandbox,
    /// Memory of all sandboxes together.
    SandboxMemory,
    /// The same of those of the app's tenant.
    TenantMemory,
    /// Open files of all sandboxes together.
    OpenFiles,
    /// The same of those of the app's tenant.
    TenantOpenFiles,
    /// What else went wrong in the app.
    App,
}

/// The number of hits.
pub const HITS: usize = 16;
