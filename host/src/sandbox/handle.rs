//! The export `handle`: whether a component's is of the gateway's type, and the
//! call of it.
#![expect(
    unsafe_code,
    reason = "a type is checked once, not for every request; the argument stands at its use"
)]

use super::server::InputHandle;
use super::state::State;
use crate::gateway::{self, Environ, Failure};
use std::sync::OnceLock;
use wasmtime::Store;
use wasmtime::component::types::{ComponentItem, Type};
use wasmtime::component::{Component, ComponentExportIndex, Instance, Resource, TypedFunc};

/// What `handle` takes and gives.
pub type Handle<'a> = TypedFunc<(Environ<'a>, Resource<InputHandle>), (Result<(), Failure>,)>;

/// The members of `environ`, in the order of the contract.
const ENVIRON: [&str; 20] = [
    "request-method",
    "script-name",
    "path-info",
    "query-string",
    "request-uri",
    "content-type",
    "content-length",
    "server-name",
    "server-port",
    "server-protocol",
    "server-software",
    "url-scheme",
    "remote-addr",
    "remote-port",
    "headers",
    "multithread",
    "multiprocess",
    "run-once",
    "request-id",
    "extensions",
];

/// The place of `handle` in one component.
pub struct HandleExport {
    index: ComponentExportIndex,
    /// Filled when wasmtime has found an instance's `handle` to be of the right
    /// type.
    checked: OnceLock<()>,
}

impl HandleExport {
    /// Finds it, and compares the outline of its type, so that a component built
    /// for another contract is told apart before it is served.
    pub fn find(component: &Component) -> Result<Self, String> {
        let (_, app) = component
            .get_export(None, gateway::APP)
            .ok_or("it does not export the gateway's app")?;
        let (item, index) = component
            .get_export(Some(&app), gateway::HANDLE)
            .ok_or("its app has no handle")?;
        let ComponentItem::ComponentFunc(handle) = item else {
            return Err("its handle is not a function".into());
        };
        let parameters: Vec<Type> = handle.params().map(|(_, ty)| ty).collect();
        let [Type::Record(environ), Type::Own(_)] = parameters.as_slice() else {
            return Err("its handle does not take an environ and an input".into());
        };
        if !environ.fields().map(|field| field.name).eq(ENVIRON) {
            return Err("its environ has other members".into());
        }
        Ok(HandleExport {
            index,
            checked: OnceLock::new(),
        })
    }

    /// The function in `instance`, which is an instance of the component that
    /// this was found in.
    pub fn of<'a>(
        &self,
        instance: &Instance,
        store: &mut Store<State>,
    ) -> wasmtime::Result<Handle<'a>> {
        if self.checked.get().is_none() {
            let handle = instance.get_typed_func(&mut *store, self.index)?;
            self.checked.get_or_init(|| ());
            return Ok(handle);
        }
        let handle = instance
            .get_func(&mut *store, self.index)
            .ok_or_else(|| wasmtime::Error::msg("the instance has no handle"))?;
        // SAFETY: an export's type belongs to the component, not to the instance,
        // and the component's was checked above, for an instance before this one.
        // What differs from one instance to the next, the identity of resource
        // types, does not here: `input` is the host's.
        Ok(unsafe { Handle::new_unchecked(handle) })
    }
}
