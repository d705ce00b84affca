//! The function by which guests open files. Each file is a descriptor of the process, and
//! all sandboxes together may have so many.
//!
//! What a guest has open stands in its table of WASI's resources, none of which has more
//! than one descriptor, and only this function adds any. So the table is counted here:
//! nothing has to be known of how it gives them back.

use super::lock_dirs::{Borrower, TYPES};
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, ErrorCode, Host, HostDescriptor, OpenFlags, PathFlags,
};

/// What a guest says of the file that it opens.
type Asked = (
    Resource<Descriptor>,
    PathFlags,
    String,
    OpenFlags,
    DescriptorFlags,
);

/// Defines it instead of WASI's own.
pub fn link<T: Borrower + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker
        .instance(TYPES)?
        .func_wrap_async("[method]descriptor.open-at", |store, asked: Asked| {
            Box::new(open(store, asked))
        })?;
    linker.allow_shadowing(false);
    Ok(())
}

async fn open<T: Borrower>(
    mut store: StoreContextMut<'_, T>,
    (base, path_flags, path, open_flags, flags): Asked,
) -> wasmtime::Result<(Result<Resource<Descriptor>, ErrorCode>,)> {
    if !store.data_mut().may_open() {
        // Of what open(2) can say, and WASI too, the nearest.
        return Ok((Err(ErrorCode::InsufficientMemory),));
    }
    let mut files = store.data_mut().filesystem();
    let opened = files.open_at(base, path_flags, path, open_flags, flags);
    Ok((match opened.await {
        Ok(file) => Ok(file),
        Err(error) => Err(files.convert_error_code(error)?),
    },))
}
