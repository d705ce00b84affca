//! The listening sockets: connections come in here.

use crate::metrics::{self, Event};
use crate::quota::{Permit, Quota};
use crate::settings::{ConnectionLimits, Listening, Timeouts};
use crate::socket::{Accepted, Address};
use crate::socket_file::{SocketFile, clear};
use crate::tenant::Site;
use crate::tls::Tls;
use crate::worker::{Drained, Workers};
use socket2::SockRef;
use std::fs::{self, Permissions};
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, UnixListener};
use tokio::sync::{mpsc, watch};

/// Connections that the kernel holds until they are accepted.
const BACKLOG: u32 = 1024;
/// Octets that a connection may keep in the kernel unsent, beyond which a write
/// waits. The kernel's own limit is some megabytes, which a client that does not
/// read would make a guest fill; and they are filled before anyone notices that
/// it does not.
const UNSENT: u32 = 128 << 10;
/// How long to wait after an accept that failed for want of something, such as
/// file descriptors; doubled up to the second while it goes on.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A bound socket that has not begun to serve.
pub struct Listener {
    socket: Bound,
    /// The address that was asked for.
    asked: Address,
    /// The address to show: a free port has its number by now.
    address: Address,
    /// A file that goes with the socket.
    file: Option<Arc<SocketFile>>,
}

/// A listening socket on its way to another process.
#[derive(Debug)]
pub struct Handed {
    /// The address that was asked for.
    pub asked: Address,
    /// The socket itself, which both processes have.
    pub socket: OwnedFd,
    /// A file that goes with the socket.
    pub file: Option<Arc<SocketFile>>,
}

enum Bound {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    /// Binds `asked`.
    pub fn bind(asked: &Address, listening: &Listening) -> io::Result<Self> {
        match asked {
            Address::Tcp(addr) => {
                let socket = match addr.is_ipv4() {
                    true => TcpSocket::new_v4()?,
                    false => TcpSocket::new_v6()?,
                };
                // Else a restart would fail for as long as the kernel remembers the
                // connections of the last run.
                socket.set_reuseaddr(true)?;
                // Off unless asked for: anyone with the same user could listen too,
                // and take a share of the connections.
                socket.set_reuseport(listening.reuse_port)?;
                socket.bind(*addr)?;
                Listener::of_tcp(socket.listen(BACKLOG)?, asked)
            }
            Address::Unix(path) => {
                clear(path)?;
                let socket = UnixListener::bind(path)?;
                let file = Arc::new(SocketFile::bound(path)?);
                fs::set_permissions(path, Permissions::from_mode(listening.unix_mode))?;
                let socket = Bound::Unix(socket);
                Ok(Listener::of(socket, asked, asked.clone(), Some(file)))
            }
            Address::Inherited(number) => Listener::adopt(Handed {
                asked: asked.clone(),
                socket: take(*number)?,
                file: None,
            }),
        }
    }

    /// A socket that somebody else bound, and passed on.
    pub fn adopt(handed: Handed) -> io::Result<Self> {
        let Handed {
            asked,
            socket,
            file,
        } = handed;
        use rustix::net::{AddressFamily, sockopt};
        let (is_listening, family) = (
            sockopt::socket_acceptconn(&socket)?,
            sockopt::socket_domain(&socket)?,
        );
        if !is_listening {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the socket does not listen",
            ));
        }
        rustix::io::ioctl_fionbio(&socket, true)?;
        match family {
            AddressFamily::UNIX => {
                let socket = std::os::unix::net::UnixListener::from(socket);
                let address = socket.local_addr()?;
                let path = address.as_pathname().unwrap_or(Path::new("")).to_owned();
                let socket = Bound::Unix(UnixListener::from_std(socket)?);
                Ok(Listener::of(socket, &asked, Address::Unix(path), file))
            }
            _ => Listener::of_tcp(TcpListener::from_std(socket.into())?, &asked),
        }
    }

    fn of_tcp(socket: TcpListener, asked: &Address) -> io::Result<Self> {
        // What is set here is so for each connection that comes in.
        SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT)?;
        let address = Address::Tcp(socket.local_addr()?);
        Ok(Listener::of(Bound::Tcp(socket), asked, address, None))
    }

    fn of(socket: Bound, asked: &Address, address: Address, file: Option<Arc<SocketFile>>) -> Self {
        Listener {
            socket,
            asked: asked.clone(),
            address,
            file,
        }
    }

    /// The same socket once more, for another process.
    pub fn hand(&self) -> io::Result<Handed> {
        let socket = match &self.socket {
            Bound::Tcp(socket) => socket.as_fd().try_clone_to_owned()?,
            Bound::Unix(socket) => socket.as_fd().try_clone_to_owned()?,
        };
        Ok(Handed {
            asked: self.asked.clone(),
            socket,
            file: self.file.clone(),
        })
    }

    /// The address it is bound to.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Accepts connections within `quota` and passes them on, until `stopped` says
    /// so, and then those that wait already: closing the socket would reset them,
    /// with what they have asked.
    async fn accept_all(
        self,
        quota: Arc<Quota>,
        found: mpsc::Sender<(Accepted, Permit)>,
        mut stopped: watch::Receiver<()>,
    ) {
        loop {
            let (stream, peer) = tokio::select! {
                biased;
                _ = stopped.changed() => break,
                accepted = self.accept() => accepted,
            };
            // One that is not let in is closed by this.
            let Ok(permit) = quota.enter(peer).await else {
                continue;
            };
            if found.send((stream, permit)).await.is_err() {
                return;
            }
        }
        // They do not hold up the end by ever more of them.
        for _ in 0..BACKLOG {
            match self.accept_waiting() {
                Ok((stream, peer)) => {
                    if let Ok(permit) = quota.enter(peer).await {
                        let _ = found.send((stream, permit)).await;
                    }
                }
                Err(error) if is_the_clients(&error) => {}
                Err(_) => return,
            }
        }
    }

    /// A connection that waits, asked of the kernel itself: the runtime knows only
    /// what it was told by the last time that it looked.
    fn accept_waiting(&self) -> io::Result<(Accepted, Option<IpAddr>)> {
        use rustix::net::{SocketFlags, accept_with};
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        match &self.socket {
            Bound::Tcp(socket) => {
                let stream = std::net::TcpStream::from(accept_with(socket, flags)?);
                let _ = stream.set_nodelay(true);
                let peer = stream.peer_addr().map(|peer| peer.ip());
                Ok((Accepted::Tcp(stream), peer.ok()))
            }
            Bound::Unix(socket) => {
                let stream = accept_with(socket, flags)?.into();
                Ok((Accepted::Unix(stream), None))
            }
        }
    }

    /// The next connection. A failure is never final: one client's early leave,
    /// or a moment without file descriptors, must not end the server.
    pub(crate) async fn accept(&self) -> (Accepted, Option<IpAddr>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let accepted = match &self.socket {
                Bound::Tcp(socket) => socket.accept().await.and_then(|(stream, peer)| {
                    // Small answers are not to wait for the client's acknowledgement.
                    let _ = stream.set_nodelay(true);
                    Ok((Accepted::Tcp(stream.into_std()?), Some(peer.ip())))
                }),
                Bound::Unix(socket) => socket
                    .accept()
                    .await
                    .and_then(|(stream, _)| Ok((Accepted::Unix(stream.into_std()?), None))),
            };
            match accepted {
                Ok(accepted) => return accepted,
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    metrics::count(Event::AcceptFailed);
                    tracing::warn!(
                        "cannot accept a connection, trying again in {pause:?}: {error}"
                    );
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
}

/// Serves `site` on all of `listeners`, within `limits` and on so many `threads`,
/// until `shutdown` is ready; then accepts no more, lets the requests in flight finish within the
/// grace period, and cuts the rest. With `tls` every connection over TCP begins
/// with a handshake.
pub async fn serve(
    listeners: Vec<Listener>,
    site: Arc<Site>,
    tls: Option<Arc<Tls>>,
    timeouts: Timeouts,
    limits: ConnectionLimits,
    threads: usize,
    shutdown: impl Future<Output = ()>,
) -> io::Result<Drained> {
    let workers = Workers::start(threads, &site, tls.as_ref(), &timeouts, &limits)?;
    let quota = Arc::new(Quota::new(&limits, site.proxies()));
    let (stop, stopped) = watch::channel(());
    let (found, mut accepted) = mpsc::channel(1);
    for listener in listeners {
        tokio::spawn(listener.accept_all(quota.clone(), found.clone(), stopped.clone()));
    }
    drop((found, stopped));
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some((stream, permit)) = accepted.recv() => workers.serve(stream, permit),
        }
    }
    // Memory is for those who stay, such as another process that takes over.
    site.retire();
    // New clients are refused from here on, rather than left waiting, unless another
    // process has the sockets too; those that wait are still served.
    drop(stop);
    quota.lift();
    while let Some((stream, permit)) = accepted.recv().await {
        workers.serve(stream, permit);
    }
    Ok(workers.drain().await)
}

/// Sockets that systemd passes (sd_listen_fds(3)): from 3 on, as many as
/// `LISTEN_FDS` says, if `LISTEN_PID` is this process.
pub fn passed() -> Vec<Address> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u32>().ok();
    match (number("LISTEN_PID"), number("LISTEN_FDS")) {
        (Some(pid), Some(count)) if pid == std::process::id() => {
            (3..3 + count as RawFd).map(Address::Inherited).collect()
        }
        _ => Vec::new(),
    }
}

/// Takes over the descriptor of this number.
#[expect(
    unsafe_code,
    reason = "a number becomes a descriptor; the argument stands at its use"
)]
fn take(number: RawFd) -> io::Result<OwnedFd> {
    // It is there, or it would not be a socket's number.
    if !Path::new(&format!("/proc/self/fd/{number}")).exists() {
        return Err(io::ErrorKind::NotFound.into());
    }
    // SAFETY: the descriptor is open, which was just checked, and nobody in this
    // process owns it: it was there before the process began, named by whoever
    // started it, and each number is named once.
    let owned = unsafe { OwnedFd::from_raw_fd(number) };
    rustix::io::fcntl_setfd(owned.as_fd(), rustix::io::FdFlags::CLOEXEC)?;
    Ok(owned)
}

/// The client was gone before it was accepted.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}
