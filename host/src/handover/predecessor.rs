//! The process before this one, as this one sees it.

use super::{MOST_OCTETS, MOST_SOCKETS, Manifest, READY, Role, VARIABLE};
use crate::listener::Handed;
use crate::socket::Address;
use crate::socket_file::SocketFile;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, Shutdown, recv, recvmsg,
    shutdown,
};
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The process that hands its sockets to this one.
pub struct Predecessor {
    connection: UnixStream,
    sockets: Vec<(Role, Handed)>,
    files: Vec<Arc<SocketFile>>,
}

impl Predecessor {
    /// What this process was started to succeed, if there is any. Fails if it does
    /// not hand over what it should.
    pub fn of_this_process() -> io::Result<Option<Self>> {
        let named = std::env::var(VARIABLE)
            .ok()
            .and_then(|pid| pid.parse().ok());
        let parent = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get());
        if named.is_none() || named != parent {
            return Ok(None);
        }
        let connection = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        match receive(&connection)? {
            Some(sockets) => Ok(Some(Predecessor {
                connection,
                files: sockets
                    .iter()
                    .filter_map(|(_, handed)| handed.file.clone())
                    .collect(),
                sockets,
            })),
            // It ended, and needs no successor.
            None => Ok(None),
        }
    }

    /// The addresses that the app was served at.
    pub fn addresses(&self) -> Vec<Address> {
        let apps = self.sockets.iter().filter(|(role, _)| *role == Role::App);
        apps.map(|(_, handed)| handed.asked.clone()).collect()
    }

    /// Its socket for this address, which can be had once.
    pub fn take(&mut self, role: Role, asked: &Address) -> Option<Handed> {
        let found = self
            .sockets
            .iter()
            .position(|(of, handed)| *of == role && handed.asked == *asked)?;
        Some(self.sockets.swap_remove(found).1)
    }

    /// Says that this process serves, and waits until the other accepts no more, or
    /// has ended. If `declined` comes first, the other is to serve on. Returns
    /// whether all is this process's now.
    pub async fn relieve(self, declined: impl Future<Output = ()>) -> io::Result<bool> {
        self.connection.set_nonblocking(true)?;
        let mut connection = tokio::net::UnixStream::from_std(self.connection)?;
        // An error is that it ended, as is the end of what it sends.
        let left = async {
            if connection.write_all(READY).await.is_ok() {
                let _ = connection.read(&mut [0; 16]).await;
            }
        };
        let is_relieved = tokio::select! {
            biased;
            () = left => true,
            () = declined => {
                // It cannot say so any more; it may have said so by now.
                shutdown(&connection, Shutdown::Both)?;
                matches!(recv(&connection, &mut [0; 16], RecvFlags::DONTWAIT), Ok((length, _)) if length > 0)
            }
        };
        if is_relieved {
            for file in self.files {
                file.keep();
            }
        }
        Ok(is_relieved)
    }
}

/// The manifest and its sockets; none if the other end is closed.
fn receive(connection: &UnixStream) -> io::Result<Option<Vec<(Role, Handed)>>> {
    let mut octets = vec![0; MOST_OCTETS];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_SOCKETS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::io::retry_on_intr(|| {
        recvmsg(
            connection,
            &mut [IoSliceMut::new(&mut octets)],
            &mut ancillary,
            RecvFlags::CMSG_CLOEXEC,
        )
    })?;
    if received.bytes == 0 {
        return Ok(None);
    }
    let sockets: Vec<OwnedFd> = ancillary
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(sockets) => Some(sockets),
            _ => None,
        })
        .flatten()
        .collect();
    let odd = || io::Error::new(io::ErrorKind::InvalidData, "it speaks of other sockets");
    let manifest: Manifest =
        serde_json::from_slice(&octets[..received.bytes]).map_err(|_| odd())?;
    let cut = ReturnFlags::TRUNC | ReturnFlags::CTRUNC;
    if received.flags.intersects(cut) || manifest.sockets.len() != sockets.len() {
        return Err(odd());
    }
    let handed = |(entry, socket): (super::Entry, OwnedFd)| {
        let asked = entry.asked.parse().map_err(|_| odd())?;
        let file = match (&asked, entry.inode) {
            (Address::Unix(path), Some(inode)) => Some(Arc::new(SocketFile::handed(path, inode))),
            _ => None,
        };
        let handed = Handed {
            asked,
            socket,
            file,
        };
        Ok((entry.role, handed))
    };
    manifest
        .sockets
        .into_iter()
        .zip(sockets)
        .map(handed)
        .collect::<io::Result<_>>()
        .map(Some)
}
