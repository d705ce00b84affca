//! The Python package `rhost` and the contract, carried in the command, so that an
//! installed one needs no other files.

use super::PythonError;
use super::digest::Digest;
use std::fs;
use std::path::Path;

/// The contract.
pub const WIT: &str = include_str!("../../../wit/gateway.wit");

macro_rules! files {
    ($($name:literal)*) => {
        /// The package's files.
        const FILES: &[(&str, &[u8])] = &[
            $(($name, include_bytes!(concat!("../../../guest-sdk/python/rhost/", $name)))),*
        ];
    };
}

files! {
    "__init__.py" "_kdf.abi3.so" "absent.py" "body.py" "build.py" "cgi.py" "component.py" "diagnosis.py" "ending.py"
    "fields.py" "gateway.py" "handler.py" "heap.py" "hot.py" "identity.py" "immortal.py" "instance.py" "kdf.py"
    "late.py" "locate.py" "loops.py" "modules/_bz2.py" "modules/_ctypes.py" "modules/_lzma.py"
    "modules/_multiprocessing.py" "modules/_posixshmem.py" "modules/_ssl.py" "modules/fcntl.py" "modules/grp.py"
    "modules/mmap.py" "modules/pwd.py" "modules/resource.py" "modules/syslog.py" "modules/termios.py" "natives.py"
    "network.py" "printed.py" "report.py" "response.py" "routes.py" "scripts.py" "snapshot.py" "sqlite.py" "state.py"
    "tempfiles.py" "threads.py" "variables.py" "warm_up.py" "world.py"
}

/// Writes the package into `dir`.
pub fn write(dir: &Path) -> Result<(), PythonError> {
    let package = dir.join("rhost");
    let modules = package.join("modules");
    fs::create_dir_all(&modules).map_err(PythonError::file(&modules))?;
    for (name, content) in FILES {
        let path = package.join(name);
        fs::write(&path, content).map_err(PythonError::file(&path))?;
    }
    Ok(())
}

/// Adds package and contract to a digest.
pub fn add_to(digest: &mut Digest) {
    digest.part(WIT.as_bytes());
    for (name, content) in FILES {
        digest.part(name.as_bytes());
        digest.part(content);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_carried() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-sdk/python/rhost");
        let mut there = Vec::new();
        for dir in ["", "modules"] {
            for entry in fs::read_dir(source.join(dir)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                if name.ends_with(".py") || name.ends_with(".so") {
                    there.push(Path::new(dir).join(name).to_str().unwrap().to_owned());
                }
            }
        }
        there.sort();
        let carried: Vec<_> = FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(there, carried);
    }
}
