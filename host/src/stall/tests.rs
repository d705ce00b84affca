use super::*;
use std::future::poll_fn;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const WAIT: Duration = Duration::from_secs(30);
const KEEP_ALIVE: Duration = Duration::from_secs(75);

fn impatient<T>(stream: T) -> (Impatient<T>, Requests) {
    let requests = Requests::at_most(0);
    let times = Timeouts {
        header: WAIT,
        keep_alive: KEEP_ALIVE,
        write: WAIT,
        ..Timeouts::default()
    };
    let stream = Impatient::new(stream, requests.clone(), Arc::new(times));
    (stream, requests)
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_speaks_is_given_up() {
    let (near, _far) = tokio::io::duplex(4);
    let (mut near, _) = impatient(near);
    let error = near.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_trickles_is_given_up() {
    let (near, mut far) = tokio::io::duplex(4);
    let (mut near, _) = impatient(near);
    let start = tokio::time::Instant::now();
    tokio::spawn(async move {
        while far.write_u8(b'x').await.is_ok() {
            tokio::time::sleep(WAIT / 3).await;
        }
    });
    let error = loop {
        match near.read_u8().await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(start.elapsed().as_secs(), WAIT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn one_that_is_being_answered_may_be_silent() {
    let (near, mut far) = tokio::io::duplex(4);
    let (mut near, requests) = impatient(near);
    far.write_u8(b'x').await.unwrap();
    near.read_u8().await.unwrap();
    let answering = requests.begin();
    let silence = tokio::time::timeout(10 * WAIT, near.read_u8()).await;
    assert!(silence.is_err(), "it was not cut");
    drop(answering);
    // It is asked to end first, and made to end if it does not.
    let second = Duration::from_secs(1);
    let kept = tokio::time::timeout(KEEP_ALIVE - second, near.read_u8()).await;
    assert!(kept.is_err() && !requests.is_ending());
    let asked = tokio::time::timeout(2 * second, near.read_u8()).await;
    assert!(asked.is_err() && requests.is_ending());
    let start = tokio::time::Instant::now();
    let error = near.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(start.elapsed() < WAIT);
}

#[tokio::test(start_paused = true)]
async fn the_next_head_has_its_own_time() {
    let (near, mut far) = tokio::io::duplex(4);
    let (mut near, requests) = impatient(near);
    far.write_u8(b'x').await.unwrap();
    near.read_u8().await.unwrap();
    drop(requests.begin());
    let idle = tokio::time::timeout(KEEP_ALIVE - WAIT / 2, near.read_u8()).await;
    assert!(idle.is_err(), "it was kept");
    far.write_u8(b'x').await.unwrap();
    near.read_u8().await.unwrap();
    let start = tokio::time::Instant::now();
    let error = near.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(start.elapsed().as_secs(), WAIT.as_secs());
    assert!(!requests.is_ending(), "who is amid a head is not asked");
}

#[tokio::test(start_paused = true)]
async fn over_http2_it_is_asked_to_end_first() {
    for preface in ["PRI ", "PRI * HTTP/2.0"] {
        let (near, mut far) = tokio::io::duplex(64);
        let (mut near, requests) = impatient(near);
        far.write_all(preface.as_bytes()).await.unwrap();
        near.read_exact(&mut vec![0; preface.len()]).await.unwrap();
        let start = tokio::time::Instant::now();
        let silence = tokio::time::timeout(WAIT / 2 * 3, near.read_u8()).await;
        assert!(silence.is_err() && requests.is_ending());
        near.read_u8().await.unwrap_err();
        assert_eq!(start.elapsed().as_secs(), 2 * WAIT.as_secs());
    }
}

#[tokio::test(start_paused = true)]
async fn over_http2_an_answer_that_is_being_taken_is_no_silence() {
    let (near, mut far) = tokio::io::duplex(64);
    let (mut near, requests) = impatient(near);
    far.write_all(b"PRI ").await.unwrap();
    near.read_exact(&mut [0; 4]).await.unwrap();
    drop(requests.begin());
    for _ in 0..5 {
        let idle = tokio::time::timeout(KEEP_ALIVE / 2, near.read_u8()).await;
        assert!(idle.is_err());
        requests.sent();
    }
    assert!(!requests.is_ending());
    let idle = tokio::time::timeout(2 * KEEP_ALIVE, near.read_u8()).await;
    assert!(idle.is_ok() && requests.is_ending());
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_octets_since_before_the_answer_is_given_up_too() {
    let (near, mut far) = tokio::io::duplex(64);
    let (mut near, requests) = impatient(near);
    far.write_u8(b'x').await.unwrap();
    near.read_u8().await.unwrap();
    let request = requests.begin();
    let mut none = [0; 1];
    let mut none = ReadBuf::new(&mut none);
    poll_fn(|cx| {
        assert!(Pin::new(&mut near).poll_read(cx, &mut none).is_pending());
        Poll::Ready(())
    })
    .await;
    drop(request);
    let start = tokio::time::Instant::now();
    // Nothing is read from here on, but for what wakes whoever waits.
    let ending = poll_fn(|cx| {
        let _ = Pin::new(&mut near).poll_flush(cx)?;
        match requests.is_ending() {
            true => Poll::Ready(Ok::<_, io::Error>(())),
            false => Poll::Pending,
        }
    });
    ending.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), KEEP_ALIVE.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stalls_is_given_up() {
    let (near, _far) = tokio::io::duplex(4);
    let (mut near, _) = impatient(near);
    let error = near.write_all(b"more than four").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_not() {
    let (near, mut far) = tokio::io::duplex(1);
    let (mut near, _) = impatient(near);
    let reader = async {
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_secs(29)).await;
            far.read_u8().await.unwrap();
        }
    };
    let (written, ()) = tokio::join!(near.write_all(b"0123456789"), reader);
    written.unwrap();
}

/// A stream with a buffer before it, as under TLS: it takes all that is written, of which
/// `far` takes what it has room for.
struct Buffering {
    far: tokio::io::DuplexStream,
    buffer: Vec<u8>,
    sent: u64,
}

fn buffering(room: usize) -> (Impatient<Buffering>, tokio::io::DuplexStream) {
    let (far, client) = tokio::io::duplex(room);
    let (buffer, sent) = (Vec::new(), 0);
    (impatient(Buffering { far, buffer, sent }).0, client)
}

impl Watched for Buffering {
    fn departure(&self) -> io::Result<Departure> {
        self.far.departure()
    }

    fn reset_when_closed(&self) {}

    fn buffered_sent(&self) -> Option<u64> {
        Some(self.sent)
    }
}

impl AsyncWrite for Buffering {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.buffer.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while !this.buffer.is_empty() {
            let sent = ready!(Pin::new(&mut this.far).poll_write(cx, &this.buffer))?;
            this.buffer.drain(..sent);
            this.sent += sent as u64;
        }
        Poll::Ready(Ok(()))
    }

    /// With a last word.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.sent == 0 && self.buffer.is_empty() {
            self.buffer.extend_from_slice(b"bye");
        }
        self.poll_flush(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stalls_is_given_up_behind_a_buffer_too() {
    for writes_on in [false, true] {
        let (mut near, _client) = buffering(4);
        near.write_all(b"more than four").await.unwrap();
        let start = tokio::time::Instant::now();
        let mut beat = tokio::time::interval(WAIT / 3);
        let error = poll_fn(|cx| {
            // What the buffer takes brings the client no further.
            while writes_on && beat.poll_tick(cx).is_ready() {
                assert!(Pin::new(&mut near).poll_write(cx, b"x").is_ready());
            }
            Pin::new(&mut near).poll_flush(cx)
        });
        assert_eq!(error.await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed().as_secs(), WAIT.as_secs());
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_not_behind_a_buffer_either() {
    let (mut near, mut client) = buffering(1);
    let reader = async {
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_secs(29)).await;
            client.read_u8().await.unwrap();
        }
    };
    near.write_all(b"0123456789").await.unwrap();
    let (flushed, ()) = tokio::join!(near.flush(), reader);
    flushed.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_last_word_waits_no_longer_than_an_answer() {
    let (mut near, _client) = buffering(1);
    let start = tokio::time::Instant::now();
    let error = near.shutdown().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(start.elapsed().as_secs(), WAIT.as_secs());
}
