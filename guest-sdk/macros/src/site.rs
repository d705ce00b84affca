//! What stands in `app!`: routes, prefixes with routes below them, and hooks.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::{Error, LitStr, Path, Result, Token, bracketed, token};

use crate::hooks::Hooks;
use crate::pattern;

/// The site that `app!` lists.
pub(crate) struct Site {
    pub(crate) routes: Vec<Listed>,
    pub(crate) hooks: Hooks,
}

/// A route of the list.
pub(crate) struct Listed {
    /// The path of the function.
    pub(crate) path: Path,
    /// What stands before its pattern: nothing, or `/admin`.
    pub(crate) prefix: String,
}

impl Parse for Site {
    fn parse(input: ParseStream<'_>) -> Result<Site> {
        let mut site = Site {
            routes: Vec::new(),
            hooks: Hooks::default(),
        };
        site.items(input, "")?;
        match site.routes.is_empty() {
            true => Err(Error::new(
                Span::call_site(),
                "a site needs a route: `app!(index)`",
            )),
            false => Ok(site),
        }
    }
}

impl Site {
    /// Reads a list to its end: that of the site, or that below a prefix.
    fn items(&mut self, input: ParseStream<'_>, prefix: &str) -> Result<()> {
        while !input.is_empty() {
            self.item(input, prefix)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }

    fn item(&mut self, input: ParseStream<'_>, prefix: &str) -> Result<()> {
        if input.peek(LitStr) {
            return self.below(input, prefix);
        }
        // `=` is the first half of `=>`, too.
        if input.peek2(Token![=]) && !input.peek2(Token![=>]) {
            if !prefix.is_empty() {
                return Err(input.error("hooks are of the whole site, not of a prefix"));
            }
            return self.hooks.parse(input);
        }
        let path = Path::parse_mod_style(input)?;
        self.routes.push(Listed {
            path,
            prefix: prefix.into(),
        });
        Ok(())
    }

    /// `"/admin" => [index, users]`
    fn below(&mut self, input: ParseStream<'_>, prefix: &str) -> Result<()> {
        let literal: LitStr = input.parse()?;
        let own = literal.value();
        pattern::check_prefix(&own).map_err(|problem| Error::new(literal.span(), problem))?;
        if !input.peek(Token![=>]) || !input.peek3(token::Bracket) {
            return Err(Error::new(
                literal.span(),
                "a prefix has the routes below it: `\"/admin\" => [index, users]`",
            ));
        }
        input.parse::<Token![=>]>()?;
        let list;
        let brackets = bracketed!(list in input);
        if list.is_empty() {
            return Err(Error::new(
                brackets.span.join(),
                "a prefix needs a route below it",
            ));
        }
        self.items(&list, &(prefix.to_owned() + &own))
    }
}
