//! The functions of WASI by which programs make [lock directories](super::lock_dirs), and take
//! them away.

use super::files::{self, Borrower, Fd, Files, Given, TYPES, anywhere};
use super::lock_dirs::{Held, LockDir, find, made};
use std::fs::File;
use std::sync::Arc;
use wasmtime::StoreContextMut;
use wasmtime::component::Linker;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::types::HostDescriptor;

/// How the name of such a directory ends.
const SUFFIX: &str = ".lock";

/// Defines, instead of WASI's own, the functions by which locks are made and
/// removed.
pub fn link<T: Borrower + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    let mut types = linker.instance(TYPES)?;
    types.func_wrap_async(
        "[method]descriptor.create-directory-at",
        |store, (base, path): (Fd, files::Path)| Box::new(make(store, base, path)),
    )?;
    types.func_wrap_async(
        "[method]descriptor.remove-directory-at",
        |store, (base, path): (Fd, files::Path)| Box::new(remove(store, base, path)),
    )
}

async fn make<T: Borrower>(
    mut store: StoreContextMut<'_, T>,
    base: Fd,
    path: files::Path,
) -> Given<()> {
    let make = async |mut files: Files<'_>, [fd]: [Fd; 1]| -> FsResult<Option<Held>> {
        let path = files::path(path)?;
        let base = lock(&mut files, &fd, &path)?;
        files.create_directory_at(fd, path.clone()).await?;
        Ok(base.and_then(|base| made(&base, &path)))
    };
    let made = match anywhere(&mut store, [base], make).await? {
        Ok(made) => made,
        Err(error) => return Ok((Err(error),)),
    };
    let data = store.data_mut();
    if let Some(held) = made
        && data.may_open()
    {
        data.locks().add(held);
    }
    Ok((Ok(()),))
}

async fn remove<T: Borrower>(
    mut store: StoreContextMut<'_, T>,
    base: Fd,
    path: files::Path,
) -> Given<()> {
    let remove = async |mut files: Files<'_>, [fd]: [Fd; 1]| -> FsResult<Option<LockDir>> {
        let path = files::path(path)?;
        let base = lock(&mut files, &fd, &path)?;
        files.remove_directory_at(fd, path.clone()).await?;
        let found = base.and_then(|base| find(&base, &path));
        Ok(found.map(|(lock, _)| lock))
    };
    Ok((match anywhere(&mut store, [base], remove).await? {
        Ok(removed) => {
            if let Some(removed) = removed {
                store.data_mut().locks().remove(&removed);
            }
            Ok(())
        }
        Err(error) => Err(error),
    },))
}

/// What `path` starts from, if it is a lock's.
fn lock(files: &mut Files<'_>, base: &Fd, path: &str) -> FsResult<Option<Arc<File>>> {
    if !path.ends_with(SUFFIX) {
        return Ok(None);
    }
    Ok(match files.table.get(base)? {
        Descriptor::Dir(dir) => Some(dir.dir.clone()),
        Descriptor::File(_) => None,
    })
}
