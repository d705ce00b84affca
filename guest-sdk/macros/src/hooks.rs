//! What stands in `app!` beside the routes: `before = [f], not_found = g`.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Path, Result, Token, bracketed, token};

/// The names, in the order of the fields of `Hooks`.
const NAMES: [&str; 5] = [
    "before",
    "after",
    "not_found",
    "method_not_allowed",
    "internal_error",
];

/// What is given, by name, with the functions.
#[derive(Default)]
pub(crate) struct Hooks(Vec<(Ident, Vec<Path>)>);

impl Hooks {
    /// Reads one: a list of functions, or a function for a page.
    pub(crate) fn parse(&mut self, input: ParseStream<'_>) -> Result<()> {
        let name = Ident::parse_any(input)?;
        if !NAMES.iter().any(|known| name == known) {
            return Err(Error::new(
                name.span(),
                format!("`{name}` is not a hook; these are: {}", NAMES.join(", ")),
            ));
        }
        if self.0.iter().any(|(other, _)| *other == name) {
            return Err(Error::new(name.span(), format!("`{name}` stands twice")));
        }
        input.parse::<Token![=]>()?;
        let is_list = name == "before" || name == "after";
        let functions = if is_list != input.peek(token::Bracket) {
            let form = match is_list {
                true => "a list of functions, in brackets",
                false => "one function",
            };
            return Err(input.error(format!("`{name}` is {form}")));
        } else if is_list {
            let list;
            bracketed!(list in input);
            Punctuated::<Path, Token![,]>::parse_terminated_with(&list, Path::parse_mod_style)?
                .into_iter()
                .collect()
        } else {
            vec![Path::parse_mod_style(input)?]
        };
        self.0.push((name, functions));
        Ok(())
    }

    /// Gives the site its hooks; nothing where there are none.
    pub(crate) fn expand(&self) -> Option<TokenStream> {
        if self.0.is_empty() {
            return None;
        }
        let values = NAMES.map(|name| {
            let given = self.0.iter().find(|(other, _)| other == name);
            let functions = given.iter().flat_map(|(_, functions)| functions);
            let functions: Vec<_> = functions.map(|path| function(name, path)).collect();
            match name {
                "before" | "after" => quote!(&[#(#functions),*]),
                _ if functions.is_empty() => quote!(::core::option::Option::None),
                _ => quote!(::core::option::Option::Some(#(#functions)*)),
            }
        });
        let names = NAMES.map(|name| quote::format_ident!("{name}"));
        Some(quote! {
            .with_hooks({
                static HOOKS: ::rhost_sdk::Hooks = ::rhost_sdk::Hooks {
                    #(#names: #values),*
                };
                &HOOKS
            })
        })
    }
}

/// A function of the one type that all hooks of a name have. The spans put what
/// does not fit on the path.
fn function(name: &str, path: &Path) -> TokenStream {
    let request = quote!(request: &::rhost_sdk::Request);
    let (arguments, answer, call) = match name {
        "before" => (
            quote!(#request),
            quote!(::core::option::Option<::rhost_sdk::Response>),
            quote_spanned!(path.span()=> ::rhost_sdk::Outcome::into_answer(#path(request))),
        ),
        "after" => (
            quote!(#request, response: ::rhost_sdk::Response),
            quote!(::rhost_sdk::Response),
            quote_spanned!(path.span()=> ::rhost_sdk::Responder::respond(#path(request, response))),
        ),
        "internal_error" => (
            quote!(#request, text: &::core::primitive::str),
            quote!(::rhost_sdk::Response),
            quote_spanned!(path.span()=> ::rhost_sdk::Responder::respond(#path(request, text))),
        ),
        _ => (
            quote!(#request),
            quote!(::rhost_sdk::Response),
            quote_spanned!(path.span()=> ::rhost_sdk::Responder::respond(#path(request))),
        ),
    };
    quote! {{
        fn hook(#arguments) -> #answer {
            #call
        }
        hook
    }}
}
