//! What one sandbox holds: the data of its store.

use crate::capabilities::{Borrower, FileWork, Lent, Loan, LockDirs};
use crate::commons::{Held, Short};
use crate::failure::{Limit, LimitReached};
use crate::input::Input;
use crate::meter::{CpuMeter, SpaceMeter};
use crate::observer::Event;
use crate::output::Outlet;
use crate::request_id::RequestId;
use std::sync::Arc;
use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtxView, WasiView};

/// Handles of the gateway that an instance may still hold when it is to serve
/// another request. Each is a slot of a table. rhost-sdk gives none of its two a
/// request back, so there are many; wasmtime itself ends a guest with 100,000.
const HANDLES_LEFT: usize = 16_384;
/// Resources of WASI that it may still hold. Each is some of the host's memory, and
/// may be a file descriptor: what a guest forgets must not add up.
const RESOURCES_LEFT: usize = 128;
/// Resources of WASI that it may hold at a time, as many as the files that a process may
/// have open if nobody says otherwise. What all sandboxes have is bounded beside it, in
/// the commons.
const MOST_RESOURCES: usize = 1024;

/// The data of one sandbox's store. It dies with the instance.
pub struct State {
    /// The request that is being served; none while the instance waits for one.
    serving: Option<Serving>,
    /// How many requests came before that one, which is the number of its input.
    served: u32,
    /// The number of the last output that was given.
    last_output: u32,
    /// Handles of the gateway that the guest has not dropped.
    handles: usize,
    /// The most octets that response fields may have.
    pub response_headers: u64,
    /// Memory and tables.
    pub space: SpaceMeter,
    lent: Arc<Lent>,
    /// What the guest has of WASI. It is dropped before the loan, which counts it.
    table: ResourceTable,
    /// WASI, from its first use on.
    loan: Option<Box<Loan>>,
    /// Octets of the instance's stack.
    stack: usize,
}

/// What belongs to one request.
pub struct Serving {
    input: Input,
    /// The response in the making.
    pub outlet: Outlet,
    /// The number of the last output that was given before it.
    outputs_before: u32,
    /// Time on a CPU.
    pub cpu: CpuMeter,
    request: RequestId,
}

impl Serving {
    /// `request`, with its body, and its response in the making.
    pub fn new(input: Input, outlet: Outlet, cpu: CpuMeter, request: RequestId) -> Self {
        Serving {
            input,
            outlet,
            outputs_before: 0,
            cpu,
            request,
        }
    }

    /// The number among the instance's outputs of one that is the response's
    /// `nth`.
    pub fn output(&self, nth: u32) -> wasmtime::Result<u32> {
        self.outputs_before
            .checked_add(nth)
            .ok_or_else(|| wasmtime::Error::msg("the instance was given too many outputs"))
    }

    /// Which of the response's outputs has this number among the instance's; none
    /// when it is an earlier response's.
    pub fn nth(&self, output: u32) -> Option<u32> {
        output
            .checked_sub(self.outputs_before)
            .filter(|&nth| nth > 0)
    }
}

impl State {
    /// The data of an instance that is to serve `serving` first.
    pub fn new(
        serving: Serving,
        response_headers: u64,
        space: SpaceMeter,
        lent: Arc<Lent>,
    ) -> Self {
        State {
            serving: Some(serving),
            served: 0,
            last_output: 0,
            handles: 0,
            response_headers,
            space,
            lent,
            table: table(),
            loan: None,
            stack: 0,
        }
    }

    /// Its instance has a stack of so many octets.
    pub fn has_stack(&mut self, stack: usize) {
        self.stack = stack;
    }

    /// Octets of its stack.
    pub fn stack(&self) -> usize {
        self.stack
    }

    /// The same request, for an instance that is begun anew since this one could
    /// not be made. What this one took is given back.
    pub fn anew(self, space: SpaceMeter) -> Self {
        State {
            served: 0,
            last_output: 0,
            handles: 0,
            space,
            table: table(),
            loan: None,
            ..self
        }
    }

    /// The next request, after one that was ended by [`State::end`].
    pub fn begin(&mut self, mut serving: Serving) {
        if let Some(loan) = &self.loan {
            loan.log.serve(serving.request);
        }
        self.served += 1;
        serving.outputs_before = self.last_output;
        serving.cpu.tally().has_memory(self.space.memory());
        self.serving = Some(serving);
    }

    /// The request is over, and what belonged to it is given back. Returns whether
    /// the instance is fit for another: it met no limit, its answer is whole
    /// (`bodiless` if it was one that may announce more than it has), and it has
    /// not kept more than a little of what it was given.
    pub fn end(&mut self, bodiless: bool) -> bool {
        if let Some(loan) = &self.loan {
            loan.log.end_lines();
            // What it gave back is not to be kept while it waits; it may have less than it
            // is counted for, and never more.
            let _ = self.count(0);
            // A limit that is met now is met too late.
            let _ = self.settle();
        }
        let Some(serving) = self.serving.take() else {
            return false;
        };
        let standing = serving.outlet.standing();
        let is_whole =
            standing.has_begun && standing.fault.is_none() && (standing.missing == 0 || bodiless);
        is_whole
            && serving.input.failed().is_none()
            && self.space.refused().is_none()
            && self.handles <= HANDLES_LEFT
            && self.table.iter_mut().nth(RESOURCES_LEFT).is_none()
    }

    /// The request is over, and so is the instance: it ends later, elsewhere.
    pub fn forget(&mut self) {
        // With its last line of the log, and the locks that it left.
        self.loan = None;
        self.serving = None;
    }

    /// Its memory counts no more, though it is not yet back: who is refused memory meanwhile
    /// would wait in vain for what is on its way.
    pub fn let_go_all(&mut self) {
        let all = self.space.memory();
        self.space.let_go(self.lent.room(), all);
    }

    /// Bytes of its memories and tables, and of what the host holds for it.
    pub fn space(&self) -> u64 {
        self.space.memory()
    }

    /// The request that is being served. Guests run for one only, so there is
    /// always one when they ask.
    pub fn serving(&self) -> wasmtime::Result<&Serving> {
        self.serving.as_ref().ok_or_else(no_request)
    }

    /// The body that the input of this number stands for; none when the request
    /// that it was of is over.
    pub fn input(&mut self, number: u32) -> wasmtime::Result<Option<&mut Input>> {
        let serving = self.serving.as_mut().ok_or_else(no_request)?;
        Ok((number == self.served).then_some(&mut serving.input))
    }

    /// The number of the request's input, of which the guest is given a handle.
    pub fn give_input(&mut self) -> u32 {
        self.handles += 1;
        self.served
    }

    /// The guest is given a handle of the output of this number.
    pub fn gave_output(&mut self, number: u32) {
        self.handles += 1;
        self.last_output = number;
    }

    /// The guest ended by itself.
    pub fn returned(&mut self) {
        if let Some(loan) = &mut self.loan {
            loan.locks.leave();
        }
    }

    /// The guest dropped a handle of the gateway's.
    pub fn dropped(&mut self) {
        self.handles = self.handles.saturating_sub(1);
    }

    /// The guest called one of the host's functions.
    pub fn called(&self) {
        if let Some(serving) = &self.serving {
            serving.cpu.tally().called();
        }
    }

    /// So many bytes of the host's memory on the guest's account, until what is returned is
    /// dropped; none if its limits do not allow them.
    pub fn lend(&self, bytes: u64) -> Option<Held> {
        self.space.lend(self.lent.room(), bytes)
    }

    /// Has what the guest has of memory by now on the request's receipt.
    fn note_memory(&self) {
        if let Some(serving) = &self.serving {
            serving.cpu.tally().has_memory(self.space.most());
        }
    }

    /// Writes what the guest told of an exception to its app's log.
    pub fn log_told(&self, text: &str) {
        if let Some(serving) = &self.serving {
            self.lent.log().told_lines(serving.request, text);
        }
    }

    /// Tells what the guest did to whoever observes it.
    pub fn observe(&self, event: Event<'_>) {
        self.lent.log().observe(event);
    }
}

/// An empty table of the resources of WASI.
fn table() -> ResourceTable {
    let mut table = ResourceTable::new();
    table.set_max_capacity(MOST_RESOURCES);
    table
}

fn no_request() -> wasmtime::Error {
    wasmtime::Error::msg("the instance serves no request")
}

impl State {
    /// Counts the files that the guest may have open, and so many more.
    fn count(&mut self, more: usize) -> Result<(), Short> {
        match &mut self.loan {
            Some(loan) => self.lent.count(loan, &mut self.table, more),
            None => Ok(()),
        }
    }

    /// What it is lent, and the table of what its guest has of that.
    fn loan(&mut self) -> (&mut Loan, &mut ResourceTable) {
        let State {
            serving,
            space,
            lent,
            table,
            loan,
            ..
        } = self;
        let loan = loan.get_or_insert_with(|| {
            let request = serving
                .as_ref()
                .map_or_else(RequestId::next, |it| it.request);
            let loan = lent.to_sandbox(request);
            if let Some(limit) = loan.refused {
                space.refuse(limit);
            }
            Box::new(loan)
        });
        (loan, table)
    }
}

/// Grants what [`SpaceMeter`] does, and has it on the request's receipt.
impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let room = self.lent.room();
        let is_granted = self.space.memory_growing(room, current, desired, maximum);
        self.note_memory();
        Ok(is_granted)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let room = self.lent.room();
        let is_granted = self.space.table_growing(room, current, desired, maximum);
        self.note_memory();
        Ok(is_granted)
    }
}

/// A function of WASI asks for it once each time that it is called.
impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.called();
        // What its streams did meanwhile is its own; if that is too much, it is stopped when it
        // next runs.
        let _ = self.settle();
        let (loan, table) = self.loan();
        WasiCtxView {
            ctx: &mut loan.wasi,
            table,
        }
    }
}

impl Borrower for State {
    fn locks(&mut self) -> &mut LockDirs {
        &mut self.loan().0.locks
    }

    fn may_open(&mut self) -> bool {
        match self.count(1) {
            Ok(()) => true,
            Err(short) => {
                self.space.refuse(Limit::OpenFiles(short));
                false
            }
        }
    }
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    fn note_call(&mut self) {
        self.called();
    }

    fn file_work(&mut self) -> FileWork {
        FileWork {
            room: self.lent.room().clone(),
            bill: self.loan().0.bill.clone(),
        }
    }

    fn settle(&mut self) -> wasmtime::Result<()> {
        let (Some(loan), Some(serving)) = (&self.loan, &self.serving) else {
            return Ok(());
        };
        let debt = self.lent.room().files().take_debt();
        if !debt.is_zero() {
            serving.cpu.charge_tenant(debt);
        }
        let time = loan.bill.take();
        if time.is_zero() {
            return Ok(());
        }
        let charged = serving.cpu.charge_elsewhere(time);
        charged.map_err(|limit| wasmtime::Error::new(LimitReached(limit)))
    }

    fn hold(&mut self, bytes: u64) -> bool {
        let is_granted = self.space.hold(self.lent.room(), bytes);
        self.note_memory();
        is_granted
    }

    fn let_go(&mut self, bytes: u64) {
        self.space.let_go(self.lent.room(), bytes);
    }
}
