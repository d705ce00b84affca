//! A pattern as steps along a path, whose texts are numbers in the code.

use proc_macro2::TokenStream;
use quote::quote;

use crate::pattern::Segment;

/// The steps of a pattern, to its end, on a variable `path`.
pub(crate) fn of(segments: &[Segment]) -> TokenStream {
    let mut steps = Vec::new();
    let mut words = String::new();
    let mut ends = quote!(path.end());
    for (place, segment) in segments.iter().enumerate() {
        if place > 0 {
            words.push('/');
        }
        match segment {
            Segment::Literal(part) => words.push_str(part),
            Segment::Param(_) => {
                steps.extend(text(&std::mem::take(&mut words)));
                steps.push(quote!(path.param()));
            }
            // The last one.
            Segment::Tail(_) => {
                steps.extend(text(&std::mem::take(&mut words)));
                ends = quote!(path.tail());
            }
        }
    }
    steps.extend(text(&words));
    quote!(#(#steps &&)* #ends)
}

/// The steps over a text.
pub(crate) fn text(text: &str) -> Vec<TokenStream> {
    let pieces = text.as_bytes().chunks(8);
    pieces
        .map(|piece| {
            let length = piece.len();
            let octets = piece.iter().rev();
            let octets = octets.fold(0, |number: u64, &octet| number << 8 | u64::from(octet));
            quote!(path.text(#length, #octets))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::pattern::parse;

    #[test]
    fn texts_are_joined_and_cut_into_numbers() {
        let steps = |pattern: &str| of(&parse(pattern).unwrap()).to_string().replace(' ', "");
        assert_eq!(steps("/"), "path.end()");
        assert_eq!(steps("/a"), "path.text(1usize,97u64)&&path.end()");
        assert_eq!(
            steps("/{a}/bc/{d}/"),
            "path.param()&&path.text(4usize,795042351u64)&&path.param()\
             &&path.text(1usize,47u64)&&path.end()"
        );
        assert_eq!(steps("/{a..}"), "path.tail()");
        assert_eq!(steps("/12345678/").matches("text").count(), 2);
    }
}
