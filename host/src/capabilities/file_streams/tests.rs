use super::*;
use crate::commons::{Commons, Sizes};
use std::io::Write;

const MEMORY: u64 = 1 << 20;

/// A stream of a file of so many bytes, and what counts it.
fn input(bytes: usize) -> (Arc<Commons>, FileInput) {
    let commons = Commons::new(Sizes {
        memory: MEMORY,
        files: 0,
    });
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&vec![7; bytes]).unwrap();
    let input = FileInput {
        file: Arc::new(file),
        from: 0,
        work: FileWork {
            room: commons.room(),
            bill: Arc::default(),
        },
        state: Reading::Idle,
    };
    (commons, input)
}

#[tokio::test]
async fn what_was_read_is_counted_until_it_is_taken() {
    let (commons, mut input) = input(10_000);
    let taken = || commons.taken(Good::Memory);
    assert!(input.read(MOST_AT_ONCE).unwrap().is_empty());
    // Nobody knows yet how much it is.
    assert!([MOST_AT_ONCE as u64, 10_000].contains(&taken()));
    input.ready().await;
    assert_eq!(taken(), 10_000);
    assert_eq!(input.read(9_999).unwrap().len(), 9_999);
    assert_eq!(taken(), 10_000);
    assert_eq!(input.read(9_999).unwrap().len(), 1);
    assert_eq!(taken(), 0);
    let rest = input.blocking_read(9_999).await;
    assert!(matches!(rest, Err(StreamError::Closed)), "{rest:?}");
    assert_eq!(taken(), 0);
}

#[tokio::test]
async fn what_nobody_takes_is_counted_no_longer_than_its_stream() {
    let (commons, mut input) = input(10_000);
    input.ready().await;
    assert_eq!(commons.taken(Good::Memory), UNASKED as u64);
    input.cancel().await;
    assert_eq!(commons.taken(Good::Memory), 0);
}

#[tokio::test]
async fn beyond_what_there_is_nothing_is_read() {
    let (commons, mut input) = input(10_000);
    let room = input.work.room.clone();
    let mut others = Held::nothing_of(Good::Memory);
    others.set(MEMORY - 9_999, &room).unwrap();
    let read = input.blocking_read(10_000).await;
    let Err(StreamError::LastOperationFailed(error)) = read else {
        panic!("{read:?}");
    };
    assert!(error.to_string().contains("memory"), "{error}");
    assert_eq!(commons.taken(Good::Memory), MEMORY - 9_999);
    drop(others);
    assert_eq!(commons.taken(Good::Memory), 0);
}
