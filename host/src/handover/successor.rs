//! The process after this one, as this one sees it.

use super::{MOST_SOCKETS, Manifest, READY, Role, VARIABLE, YOURS};
use crate::listener::Handed;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
    sendmsg, socketpair,
};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, ExitStatus};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::oneshot::{self, error::TryRecvError};

/// Why no other process takes over. One line each; the last words are what to do.
#[derive(Debug, thiserror::Error)]
pub enum SuccessorError {
    /// It could not be started.
    #[error("a new process cannot be started: {0}; mend that and send SIGUSR2 again")]
    Start(#[from] io::Error),
    /// It ended early. What it had to say of that is on its standard error.
    #[error(
        "the new process ended before it served ({0}); see what it said, mend it, and send SIGUSR2 again"
    )]
    Ended(ExitStatus),
    /// It let this one wait.
    #[error(
        "the new process did not serve within {0:?} and was stopped; give it more time with --handover-timeout"
    )]
    Late(Duration),
}

/// A process that serves, and that waits for this one to leave. Until it was told
/// of that it is stopped when this is dropped.
pub struct Successor {
    process: Process,
    connection: UnixStream,
}

impl Successor {
    /// Starts a process of the same command line as this one, with these sockets,
    /// and waits until it serves, for so long. The command is looked for as it was
    /// when this one started: another file may be there by now.
    pub async fn start(
        sockets: &[(Role, Handed)],
        patience: Duration,
    ) -> Result<Self, SuccessorError> {
        let (ours, theirs) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )
        .map_err(io::Error::from)?;
        // Before it is there to read: it waits in the connection.
        send(&ours, sockets)?;
        let mut process = Process::start(theirs)?;
        let connection = std::os::unix::net::UnixStream::from(ours);
        connection.set_nonblocking(true)?;
        let mut connection = UnixStream::from_std(connection)?;
        let served = async {
            tokio::select! {
                biased;
                true = is_ready(&mut connection) => Ok(()),
                status = &mut process.ended => Err(ended(status)),
            }
        };
        match tokio::time::timeout(patience, served).await {
            Ok(served) => served?,
            Err(_) => return Err(SuccessorError::Late(patience)),
        }
        Ok(Successor {
            process,
            connection,
        })
    }

    /// Its id.
    pub fn pid(&self) -> u32 {
        self.process.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Tells it that all is its own from here on. Returns whether it is still there.
    pub async fn take_over(mut self) -> bool {
        let told = self.connection.write_all(YOURS).await;
        self.process.is_stopped = told.is_ok();
        told.is_ok()
    }
}

async fn is_ready(connection: &mut UnixStream) -> bool {
    let mut said = [0; 16];
    // The end of what it says comes before its own.
    matches!(connection.read(&mut said).await, Ok(length) if &said[..length] == READY)
}

fn ended(status: Result<io::Result<ExitStatus>, oneshot::error::RecvError>) -> SuccessorError {
    match status {
        Ok(Ok(status)) => SuccessorError::Ended(status),
        Ok(Err(error)) => SuccessorError::Start(error),
        Err(_) => SuccessorError::Start(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn send(connection: &OwnedFd, sockets: &[(Role, Handed)]) -> io::Result<()> {
    let manifest = serde_json::to_vec(&Manifest::of(sockets))?;
    let descriptors: Vec<_> = sockets
        .iter()
        .map(|(_, handed)| handed.socket.as_fd())
        .collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_SOCKETS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if descriptors.len() > MOST_SOCKETS
        || !ancillary.push(SendAncillaryMessage::ScmRights(&descriptors))
    {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("at most {MOST_SOCKETS} sockets can be handed over"),
        ));
    }
    let manifest = [IoSlice::new(&manifest)];
    rustix::io::retry_on_intr(|| {
        sendmsg(connection, &manifest, &mut ancillary, SendFlags::NOSIGNAL)
    })?;
    Ok(())
}

/// A process that was started. It is stopped when this is dropped, unless it was
/// or is to go on.
struct Process {
    pid: Pid,
    /// How it ended, once it has.
    ended: oneshot::Receiver<io::Result<ExitStatus>>,
    is_stopped: bool,
}

impl Process {
    fn start(stdin: OwnedFd) -> io::Result<Self> {
        let mut arguments = std::env::args_os();
        let program = arguments.next().ok_or(io::ErrorKind::NotFound)?;
        let mut child = Command::new(program)
            .args(arguments)
            .env(VARIABLE, std::process::id().to_string())
            .stdin(stdin)
            .spawn()?;
        let pid = Pid::from_child(&child);
        let (end, ended) = oneshot::channel();
        std::thread::Builder::new()
            .name("rhost-successor".into())
            .spawn(move || end.send(child.wait()))?;
        Ok(Process {
            pid,
            ended,
            is_stopped: false,
        })
    }

    /// Asks it to stop, as whoever started it would: it may serve by now.
    fn stop(&mut self) {
        // Once it was waited for, another process may have its id.
        let runs = matches!(self.ended.try_recv(), Err(TryRecvError::Empty));
        if runs && !self.is_stopped {
            let _ = kill_process(self.pid, Signal::TERM);
        }
        self.is_stopped = true;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}
