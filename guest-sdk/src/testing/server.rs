//! The server's part, as far as an application sees it.

use std::cell::RefCell;
use std::rc::Rc;

use crate::gateway::{
    ExcInfo, ExcInfoRef, Failure, FieldFault, HeaderRef, InvalidField, OutputError, StartError,
};
use crate::serve::{Server, Sink};
use crate::status::Status;
use crate::testing::answer::{Answer, Begun};

/// Writes down what it is sent.
pub(crate) struct Recorder {
    response: Option<Begun>,
    client: Client,
}

/// Who reads the blocks.
#[derive(Clone)]
pub(crate) struct Client {
    blocks: Rc<RefCell<Vec<Vec<u8>>>>,
    hangs_up_after: usize,
}

impl Recorder {
    pub(crate) fn new(hangs_up_after: usize) -> Recorder {
        Recorder {
            response: None,
            client: Client {
                blocks: Rc::default(),
                hangs_up_after,
            },
        }
    }

    pub(crate) fn answer(self, result: Result<(), Failure>, bodiless: bool) -> Answer {
        Answer {
            response: self.response,
            blocks: self.client.blocks.take(),
            bodiless,
            failure: result.err(),
        }
    }
}

impl Server for Recorder {
    type Output = Client;

    fn start(
        &mut self,
        status: u16,
        fields: &[HeaderRef<'_>],
        exception: Option<ExcInfoRef<'_>>,
    ) -> Result<Client, StartError> {
        if !(200..600).contains(&status) {
            return Err(StartError::InvalidStatus(status));
        }
        for (index, &(name, value)) in (0..).zip(fields) {
            if let Some(fault) = fault(name, value) {
                return Err(StartError::InvalidHeader(InvalidField { index, fault }));
            }
        }
        self.response = Some(Begun {
            status: Status::new(status),
            fields: fields
                .iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec()))
                .collect(),
            exception: exception.map(|exception| ExcInfo {
                kind: exception.kind.into(),
                message: exception.message.into(),
                traceback: exception.traceback.into(),
            }),
        });
        Ok(self.client.clone())
    }
}

impl Sink for Client {
    fn write(&mut self, block: &[u8]) -> Result<(), OutputError> {
        let mut blocks = self.blocks.borrow_mut();
        if blocks.len() == self.hangs_up_after {
            return Err(OutputError::Closed);
        }
        blocks.push(block.to_vec());
        Ok(())
    }
}

/// The rule that a field breaks, if it breaks one (RFC 9110, section 5).
fn fault(name: &str, value: &[u8]) -> Option<FieldFault> {
    const HOP_BY_HOP: [&str; 7] = [
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let is_token = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Some(FieldFault::InvalidName);
    }
    if value
        .iter()
        .any(|&octet| octet.is_ascii_control() && octet != b'\t')
    {
        return Some(FieldFault::InvalidValue);
    }
    if HOP_BY_HOP
        .iter()
        .any(|other| other.eq_ignore_ascii_case(name))
    {
        return Some(FieldFault::HopByHop);
    }
    let is_length = name.eq_ignore_ascii_case("content-length");
    if is_length && (value.is_empty() || !value.iter().all(u8::is_ascii_digit)) {
        return Some(FieldFault::ContentLength);
    }
    None
}
