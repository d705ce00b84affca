//! [`Accept`]: the media types that a client would rather have.

use crate::extract::from_request::FromRequest;
use crate::extract::pieces::split;
use crate::headers::Headers;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::status::Status;

/// The most media ranges of a request that are looked at. Further ones are as
/// if they had not been sent.
const MOST: usize = 64;

/// What a client would rather have, from its Accept fields (RFC 9110, section
/// 12.5.1).
///
/// An answer that depends on it says so to caches: `Vary: Accept` (RFC 9110,
/// section 12.5.5).
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[get("/")]
/// fn index(accept: Accept<'_>) -> Result<([(&'static str, &'static str); 2], &'static str)> {
///     let kind = accept.choose(&["text/html", "application/json"])?;
///     let text = match kind {
///         "text/html" => "<p>Hello",
///         _ => "\"Hello\"",
///     };
///     Ok(([("content-type", kind), ("vary", "accept")], text))
/// }
///
/// app!(index);
/// let index = rhost_sdk::testing::get(&APP, "/");
/// let answer = index.clone().header("accept", "application/*, text/*;q=0.5").send();
/// assert_eq!(answer.text(), "\"Hello\"");
/// assert_eq!(index.clone().send().text(), "<p>Hello");
/// assert_eq!(index.header("accept", "image/png").send().status(), 406);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Accept<'r>(&'r Headers);

impl<'r> Accept<'r> {
    /// The one of these media types that the client would rather have; among
    /// several, the first. `None` if it takes none of them.
    ///
    /// Each is judged by the most specific range that covers it: `text/html`
    /// with parameters, then without, then `text/*`, then `*/*`. A weight of 0
    /// refuses it (RFC 9110, section 12.4.2).
    ///
    /// A client that sent no range takes everything, and gets the first. A
    /// range that is malformed is passed over.
    #[must_use]
    pub fn prefers<'o>(&self, offers: &[&'o str]) -> Option<&'o str> {
        let mut ranges = self.ranges().peekable();
        if ranges.peek().is_none() {
            return offers.first().copied();
        }
        let ranges: Vec<Range<'r>> = ranges.collect();
        let mut best = None;
        for offer in offers {
            let weight = weight(&ranges, offer);
            if weight > best.map_or(0, |(_, weight)| weight) {
                best = Some((*offer, weight));
            }
        }
        best.map(|(offer, _)| offer)
    }

    /// As [`prefers`](Accept::prefers), for an answer that has no other type to
    /// fall back on.
    ///
    /// # Errors
    ///
    /// 406 if the client takes none of them (RFC 9110, section 15.5.7).
    pub fn choose<'o>(&self, offers: &[&'o str]) -> Result<&'o str, Rejection> {
        self.prefers(offers).ok_or(Rejection::new(
            Status::NOT_ACCEPTABLE,
            Status::NOT_ACCEPTABLE.reason(),
        ))
    }

    fn ranges(&self) -> impl Iterator<Item = Range<'r>> + use<'r> {
        self.0
            .get_all("accept")
            .filter_map(|value| std::str::from_utf8(value).ok())
            .flat_map(|value| split(value, ','))
            .filter(|item| !item.is_empty())
            .take(MOST)
            .filter_map(Range::parse)
    }
}

impl<'r> FromRequest<'r> for Accept<'r> {
    fn from_request(request: &'r Request) -> Result<Self, Rejection> {
        Ok(Accept(request.headers()))
    }
}

/// A media type, or the part of one that is not `*`.
struct Media<'r> {
    kind: &'r str,
    subtype: &'r str,
    /// As `charset=utf-8`, unquoted.
    parameters: Vec<(&'r str, &'r str)>,
}

/// A media range with its weight, in thousandths.
struct Range<'r> {
    media: Media<'r>,
    weight: u16,
}

impl<'r> Media<'r> {
    fn parse(text: &'r str) -> Option<Media<'r>> {
        let mut pieces = split(text, ';');
        let (kind, subtype) = pieces.next()?.split_once('/')?;
        let parameters = pieces
            .filter(|piece| !piece.is_empty())
            .map(|piece| {
                let (name, value) = piece.split_once('=')?;
                let unquoted = value
                    .strip_prefix('"')
                    .and_then(|value| value.strip_suffix('"'));
                Some((name, unquoted.unwrap_or(value)))
            })
            .collect::<Option<_>>()?;
        (!kind.is_empty() && !subtype.is_empty()).then_some(Media {
            kind,
            subtype,
            parameters,
        })
    }

    /// How specific this range is, if it covers the media type.
    fn covers(&self, offer: &Media<'_>) -> Option<usize> {
        let has = |(name, value): &(&str, &str)| {
            offer.parameters.iter().any(|(other, its)| {
                other.eq_ignore_ascii_case(name) && its.eq_ignore_ascii_case(value)
            })
        };
        if !self.parameters.iter().all(has) {
            return None;
        }
        match (self.kind, self.subtype) {
            ("*", "*") => Some(0),
            (kind, _) if !kind.eq_ignore_ascii_case(offer.kind) => None,
            (_, "*") => Some(1),
            (_, subtype) if !subtype.eq_ignore_ascii_case(offer.subtype) => None,
            _ => Some(2 + self.parameters.len()),
        }
    }
}

impl<'r> Range<'r> {
    fn parse(text: &'r str) -> Option<Range<'r>> {
        let mut media = Media::parse(text)?;
        let place = media
            .parameters
            .iter()
            .position(|(name, _)| name.eq_ignore_ascii_case("q"));
        let weight = match place {
            Some(place) => {
                let weight = thousandths(media.parameters[place].1)?;
                // What follows it belongs to no media type.
                media.parameters.truncate(place);
                weight
            }
            None => 1000,
        };
        Some(Range { media, weight })
    }
}

/// The weight of the most specific range that covers an offer; 0 if none does.
fn weight(ranges: &[Range<'_>], offer: &str) -> u16 {
    let Some(offer) = Media::parse(offer) else {
        return 0;
    };
    let mut best = None;
    for range in ranges {
        let specific = range.media.covers(&offer);
        if specific > best.map(|(specific, _)| specific) {
            best = specific.map(|specific| (specific, range.weight));
        }
    }
    best.map_or(0, |(_, weight)| weight)
}

/// `0.5` as 500: 0 to 1, with at most three decimals (RFC 9110, section 12.4.2).
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_number = decimals.len() <= 3 && decimals.bytes().all(|octet| octet.is_ascii_digit());
    let whole = match whole {
        "0" => 0,
        "1" => 1000,
        _ => return None,
    };
    let decimals: u16 = match is_number {
        true => format!("{decimals:0<3}").parse().ok()?,
        false => return None,
    };
    Some(whole + decimals).filter(|weight| *weight <= 1000)
}
