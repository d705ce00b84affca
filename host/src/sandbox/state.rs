//! What one sandbox holds: the data of its store.

use crate::capabilities::Lent;
use crate::input::Input;
use crate::meter::{CpuMeter, SpaceMeter};
use crate::observer::Event;
use crate::output::Outlet;
use crate::request_id::RequestId;
use std::sync::Arc;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// The data of one sandbox's store. It dies with the request.
pub struct State {
    /// The request's body.
    pub input: Input,
    /// The response in the making.
    pub outlet: Outlet,
    /// The most octets that response fields may have.
    pub response_headers: u64,
    /// Time on a CPU.
    pub cpu: CpuMeter,
    /// Memory and tables.
    pub space: SpaceMeter,
    request: RequestId,
    lent: Arc<Lent>,
    /// WASI, from its first use on.
    wasi: Option<Box<WasiCtx>>,
    table: ResourceTable,
}

impl State {
    /// A sandbox for `request`, with what `lent` lends.
    pub fn new(
        input: Input,
        outlet: Outlet,
        response_headers: u64,
        cpu: CpuMeter,
        space: SpaceMeter,
        request: RequestId,
        lent: Arc<Lent>,
    ) -> Self {
        State {
            input,
            outlet,
            response_headers,
            cpu,
            space,
            request,
            lent,
            wasi: None,
            table: ResourceTable::new(),
        }
    }

    /// Writes what the host has to say about this request to its app's log.
    pub fn log(&self, text: &str) {
        self.lent.log().host_lines(self.request, text);
    }

    /// Tells what the guest did to whoever observes it.
    pub fn observe(&self, event: Event<'_>) {
        self.lent.log().observe(event);
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self
            .wasi
            .get_or_insert_with(|| Box::new(self.lent.to_sandbox(self.request)));
        WasiCtxView {
            ctx: wasi,
            table: &mut self.table,
        }
    }
}
