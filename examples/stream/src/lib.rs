//! Bodies that are sent while they are made, and read while they arrive.

use std::io::Write;
use std::thread::sleep;
use std::time::Duration;

use rhost_sdk::prelude::*;
use serde::Deserialize;

app!(slow, download, echo, count);

/// How long `/slow` may take in all, whatever its query asks for.
const PATIENCE: Duration = Duration::from_secs(600);

/// The most that `/download` sends, in MiB.
const LARGEST: u64 = 4096;

/// The size of a block of a download.
const BLOCK: u64 = 64 * 1024;

/// `/slow?lines=5&ms=200`: so many lines, so many milliseconds apart.
#[derive(Deserialize)]
#[serde(default)]
struct Pace {
    lines: u32,
    ms: u32,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { lines: 5, ms: 200 }
    }
}

#[get("/slow")]
fn slow(Query(pace): Query<Pace>) -> Result<Stream> {
    let pause = Duration::from_millis(pace.ms.into());
    if pause.saturating_mul(pace.lines) > PATIENCE {
        return Err(Error::new(
            Status::BAD_REQUEST,
            "That takes more than ten minutes",
        ));
    }
    Ok(Stream::new("text/plain; charset=utf-8", move |out| {
        for line in 1..=pace.lines {
            if line > 1 {
                sleep(pause);
            }
            writeln!(out, "line {line} of {}", pace.lines)?;
        }
        Ok(())
    }))
}

/// `/download?mib=1`: so many MiB.
#[derive(Deserialize)]
#[serde(default)]
struct Size {
    mib: u64,
}

impl Default for Size {
    fn default() -> Size {
        Size { mib: 1 }
    }
}

#[get("/download")]
fn download(Query(size): Query<Size>) -> Result<Stream> {
    if size.mib > LARGEST {
        return Err(Error::new(
            Status::BAD_REQUEST,
            "That is more than 4096 MiB",
        ));
    }
    let length = size.mib << 20;
    let stream = Stream::new("application/octet-stream", move |out| {
        // Made here: a static would be a part of every sandbox's image.
        let block = vec![b'.'; BLOCK as usize];
        for _ in 0..length / BLOCK {
            out.send(&block)?;
        }
        Ok(())
    });
    Ok(stream.length(length))
}

/// The upload, sent back as it arrives, as the type that it came with.
#[post("/echo")]
fn echo(environ: &Environ, mut body: Body) -> Stream {
    let content_type = environ
        .content_type
        .clone()
        .unwrap_or_else(|| "application/octet-stream".into());
    Stream::new(content_type, move |out| {
        for block in body.chunks() {
            out.send(&block?)?;
        }
        Ok(())
    })
}

/// The number of octets of the upload.
#[post("/count")]
fn count(mut body: Body) -> Result<String> {
    let mut octets = 0;
    for block in body.chunks() {
        octets += block?.len() as u64;
    }
    Ok(format!("{octets}\n"))
}

#[cfg(test)]
mod tests {
    use rhost_sdk::gateway::{Failure, InputError, OutputError};
    use rhost_sdk::testing;

    use super::APP;

    #[test]
    fn each_line_is_a_block() {
        let answer = testing::get(&APP, "/slow?lines=2&ms=0").send();
        assert_eq!(answer.blocks(), [b"line 1 of 2\n", b"line 2 of 2\n"]);
        assert_eq!(testing::get(&APP, "/slow?lines=x").send().status(), 400);
        assert_eq!(
            testing::get(&APP, "/slow?lines=4000000000&ms=4000000000")
                .send()
                .status(),
            400
        );
    }

    #[test]
    fn a_client_that_leaves_ends_it() {
        let answer = testing::get(&APP, "/slow?lines=9&ms=0")
            .hangs_up_after(1)
            .send();
        assert_eq!(answer.blocks().len(), 1);
        assert_eq!(
            answer.failure(),
            Some(&Failure::Output(OutputError::Closed))
        );
    }

    #[test]
    fn downloads_as_much_as_asked() {
        let answer = testing::get(&APP, "/download?mib=2").send();
        assert_eq!(answer.header("content-length"), Some("2097152"));
        assert_eq!(answer.blocks().len(), 32);
        assert_eq!(answer.body().len(), 2 << 20);
        assert_eq!(testing::get(&APP, "/download").send().body().len(), 1 << 20);
        assert_eq!(
            testing::get(&APP, "/download?mib=4097").send().status(),
            400
        );
    }

    #[test]
    fn the_length_is_known_without_the_download() {
        let answer = testing::head(&APP, "/download?mib=4096").send();
        assert_eq!(answer.header("content-length"), Some("4294967296"));
        assert!(answer.blocks().is_empty());
    }

    #[test]
    fn echoes_block_by_block() {
        let answer = testing::post(&APP, "/echo")
            .header("content-type", "text/x")
            .blocks(["ab", "c"])
            .send();
        assert_eq!(answer.header("content-type"), Some("text/x"));
        assert_eq!(answer.blocks(), [&b"ab"[..], b"c"]);
    }

    #[test]
    fn an_upload_that_breaks_off_is_not_taken_for_whole() {
        let upload = testing::post(&APP, "/echo")
            .blocks(["ab"])
            .breaks_off(InputError::Incomplete);
        assert_eq!(
            upload.send().failure(),
            Some(&Failure::Input(InputError::Incomplete))
        );
        let upload = testing::post(&APP, "/count")
            .blocks(["ab"])
            .breaks_off(InputError::TimedOut);
        assert_eq!(upload.send().status(), 408);
    }

    #[test]
    fn counts() {
        assert_eq!(
            testing::post(&APP, "/count")
                .blocks(["ab", "c"])
                .send()
                .text(),
            "3\n"
        );
        assert_eq!(testing::post(&APP, "/count").send().text(), "0\n");
    }
}
