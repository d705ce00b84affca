//! The trace that a request belongs to (W3C Trace Context, Level 2).
//!
//! A request from a trusted proxy goes on with the proxy's trace. Any other begins
//! one: what a stranger says of traces could join them to somebody else's, or have
//! all of them recorded.

mod traceparent;
mod tracestate;

pub use traceparent::Traceparent;

use http::{HeaderMap, HeaderName};
use std::sync::Arc;

static PARENT: HeaderName = HeaderName::from_static("traceparent");
static STATE: HeaderName = HeaderName::from_static("tracestate");

/// Whether whoever called records the trace (section 3.2.2.5.1).
const SAMPLED: u8 = 1;
/// Whether the trace's number was chosen by chance (section 3.2.2.5.2).
const RANDOM: u8 = 2;

/// Where in which trace a request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// Not 0.
    trace: u128,
    /// The span that whatever comes next is a part of: the caller's, or one of the
    /// host's own. Not 0.
    span: u64,
    flags: u8,
    /// What others have to say of the trace; they know the words.
    state: Option<Arc<str>>,
}

impl TraceContext {
    /// A new trace.
    pub fn begin() -> Self {
        let trace = u128::from(fastrand::u64(..)) << 64 | u128::from(some());
        TraceContext {
            trace,
            span: some(),
            flags: RANDOM,
            state: None,
        }
    }

    /// The one that a request with these fields says that it belongs to. If it says
    /// so twice or in a wrong way, that is as if it had not (section 4.3).
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut parents = headers.get_all(&PARENT).into_iter();
        let (Some(parent), None) = (parents.next(), parents.next()) else {
            return None;
        };
        let (trace, span, flags) = traceparent::parse(parent.as_bytes())?;
        let states = headers.get_all(&STATE).into_iter();
        Some(TraceContext {
            trace,
            span,
            // Others have no meaning yet, and must be 0 when they are sent.
            flags: flags & (SAMPLED | RANDOM),
            state: tracestate::parse(states.map(|state| state.as_bytes())).map(Arc::from),
        })
    }

    /// The same trace, in a new span of the host's; recorded or not.
    pub fn in_span(&self, is_sampled: bool) -> Self {
        let sampled = if is_sampled { SAMPLED } else { 0 };
        TraceContext {
            span: some(),
            flags: self.flags & !SAMPLED | sampled,
            ..self.clone()
        }
    }

    /// The number of the trace.
    pub fn trace(&self) -> u128 {
        self.trace
    }

    /// The number of the span.
    pub fn span(&self) -> u64 {
        self.span
    }

    /// Whether it is recorded.
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The bits of `trace-flags`.
    pub fn flags(&self) -> u8 {
        self.flags
    }

    /// The value of the field traceparent for whoever comes next.
    pub fn parent(&self) -> Traceparent {
        Traceparent::new(self.trace, self.span, self.flags)
    }

    /// The value of the field tracestate for whoever comes next, if there is any.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }
}

/// A number by chance that is not 0.
fn some() -> u64 {
    fastrand::u64(..).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_trace_goes_on() {
        let fields = [
            ("traceparent", PARENT),
            ("tracestate", "a=1, b=2"),
            ("tracestate", "c=3"),
        ];
        let context = TraceContext::of(&headers(&fields)).unwrap();
        assert!(context.is_sampled());
        assert_eq!(context.parent().as_str(), PARENT);
        assert_eq!(context.state(), Some("a=1,b=2,c=3"));
        let child = context.in_span(false);
        assert_eq!(child.trace(), context.trace());
        assert_ne!(child.span(), context.span());
        assert!(child.parent().as_str().ends_with("-00"));
        assert_eq!(child.state(), context.state());
    }

    #[test]
    fn unknown_flags_are_not_handed_on() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff";
        let context = TraceContext::of(&headers(&[("traceparent", parent)])).unwrap();
        assert!(context.parent().as_str().ends_with("-03"));
    }

    #[test]
    fn what_is_not_clear_is_nothing() {
        for fields in [
            &[][..],
            &[("tracestate", "a=1")],
            &[("traceparent", PARENT), ("traceparent", PARENT)],
            &[("traceparent", "00")],
        ] {
            assert_eq!(TraceContext::of(&headers(fields)), None, "{fields:?}");
        }
        // What is wrong with the state is no fault of the parent's.
        let fields = [("traceparent", PARENT), ("tracestate", "a=1,a=2")];
        let context = TraceContext::of(&headers(&fields)).unwrap();
        assert_eq!((context.parent().as_str(), context.state()), (PARENT, None));
    }

    #[test]
    fn no_two_traces_are_the_same() {
        let (one, other) = (TraceContext::begin(), TraceContext::begin());
        assert_ne!(one.trace(), other.trace());
        assert_ne!(one.span(), other.span());
        let parent = one.parent();
        assert!(parent.as_str().ends_with("-02") && !one.is_sampled());
        let value = parent.as_str().parse().unwrap();
        let sent = HeaderMap::from_iter([(super::PARENT.clone(), value)]);
        assert_eq!(TraceContext::of(&sent), Some(one));
    }
}
