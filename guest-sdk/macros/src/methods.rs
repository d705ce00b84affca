//! What stands in `#[route("/path", methods = [GET, POST])]`.

use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, LitStr, Result, Token, bracketed};

/// The names, and the variants of `Method` that they are.
const METHODS: [(&str, &str); 7] = [
    ("GET", "Get"),
    ("HEAD", "Head"),
    ("POST", "Post"),
    ("PUT", "Put"),
    ("PATCH", "Patch"),
    ("DELETE", "Delete"),
    ("OPTIONS", "Options"),
];

/// A pattern, and the variants of the methods that it is for.
pub(crate) struct Arguments {
    pub(crate) pattern: LitStr,
    pub(crate) methods: Vec<Ident>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Arguments> {
        let expected = |_| {
            input.error(
                "expected the path's pattern and its methods, as in `(\"/users\", methods = [GET, POST])`",
            )
        };
        let pattern = input.parse().map_err(expected)?;
        input.parse::<Token![,]>().map_err(expected)?;
        let keyword: Ident = input.parse().map_err(expected)?;
        if keyword != "methods" {
            return Err(Error::new(
                keyword.span(),
                "expected `methods = [GET, POST]`",
            ));
        }
        input.parse::<Token![=]>().map_err(expected)?;
        let list;
        let brackets = bracketed!(list in input);
        let names: Punctuated<Ident, Token![,]> = Punctuated::parse_terminated(&list)?;
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            return Err(input.error("nothing follows the methods"));
        }
        if names.is_empty() {
            return Err(Error::new(
                brackets.span.join(),
                "a route needs a method: `methods = [GET, POST]`",
            ));
        }
        let mut methods = Vec::new();
        for name in &names {
            let variant = variant(name)?;
            if methods.contains(&variant) {
                return Err(Error::new(
                    name.span(),
                    format!("`{name}` stands twice in the list"),
                ));
            }
            methods.push(variant);
        }
        Ok(Arguments { pattern, methods })
    }
}

fn variant(name: &Ident) -> Result<Ident> {
    match METHODS.iter().find(|(other, _)| name == other) {
        Some((_, variant)) => Ok(Ident::new(variant, name.span())),
        None => {
            let known = METHODS.map(|(name, _)| name).join(", ");
            Err(Error::new(
                name.span(),
                format!("`{name}` is not a method of a route; these are: {known}"),
            ))
        }
    }
}
