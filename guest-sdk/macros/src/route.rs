//! A route attribute: the function as it was, and a type of the same name.
//!
//! Functions and types have namespaces of their own, so the type can take the
//! function's name: `use users::show` imports both, and `app!(users::show)`
//! finds the route by the path that names the function.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Error, GenericParam, ItemFn, Result, ReturnType};

use crate::arguments;
use crate::methods::Arguments;
use crate::pattern::{self, Segment};
use crate::steps;

/// Writes the function back, then its route, or an error in place of the route.
/// The attribute is of one method, a variant of `Method`.
pub(crate) fn expand(method: &str, pattern: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = syn::parse2(pattern)
        .map(|pattern| Arguments {
            pattern,
            methods: vec![Ident::new(method, Span::call_site())],
        })
        .map_err(|error| {
            Error::new(
                error.span(),
                "expected the path's pattern, as in `(\"/users/{id}\")`",
            )
        });
    beside(item, arguments)
}

/// The same, for the attribute that lists its methods.
pub(crate) fn expand_listed(arguments: TokenStream, item: TokenStream) -> TokenStream {
    beside(item, syn::parse2(arguments))
}

fn beside(item: TokenStream, arguments: Result<Arguments>) -> TokenStream {
    let route = arguments
        .and_then(|arguments| route(arguments, item.clone()))
        .unwrap_or_else(Error::into_compile_error);
    quote! { #item #route }
}

fn route(attribute: Arguments, item: TokenStream) -> Result<TokenStream> {
    let Arguments {
        pattern: literal,
        methods,
    } = attribute;
    let function: ItemFn = syn::parse2(item)?;
    check_signature(&function)?;
    let segments =
        pattern::parse(&literal.value()).map_err(|problem| Error::new(literal.span(), problem))?;

    let name = &function.sig.ident;
    let text = name.unraw().to_string();
    let arguments = arguments::of(&function)?;
    arguments::check(&segments, &arguments, &text, &literal)?;

    let (bindings, variables) = arguments::bindings(&segments, &arguments);
    let steps = steps::of(&segments);
    let segments = segments.iter().map(|segment| match segment {
        Segment::Literal(text) => quote!(::rhost_sdk::routing::Segment::Literal(#text)),
        Segment::Param(name) => quote!(::rhost_sdk::routing::Segment::Param(#name)),
        Segment::Tail(name) => quote!(::rhost_sdk::routing::Segment::Tail(#name)),
    });
    // The span puts "cannot be the answer" on the type that is returned.
    let answer = match &function.sig.output {
        ReturnType::Default => name.span(),
        ReturnType::Type(_, ty) => ty.span(),
    };
    let answer = quote_spanned!(answer=> ::rhost_sdk::Responder::respond(#name(#(#variables),*)));
    let visibility = &function.vis;
    // A function that is compiled out takes its route with it.
    let conditions: Vec<_> = function
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .collect();

    Ok(quote! {
        #(#conditions)*
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #visibility enum #name {}

        #(#conditions)*
        impl ::rhost_sdk::routing::Handler for #name {
            const ROUTE: ::rhost_sdk::routing::Route = ::rhost_sdk::routing::Route {
                methods: ::rhost_sdk::Methods::of(&[#(::rhost_sdk::Method::#methods),*]),
                pattern: #literal,
                segments: &[#(#segments),*],
                prefix: 0,
                name: ::core::concat!(::core::module_path!(), "::", #text),
            };
            fn fits(path: &mut ::rhost_sdk::routing::Cursor<'_>) -> ::core::primitive::bool {
                #steps
            }
            // Not a part of the function that chooses: that one's stack would hold
            // what all handlers keep on theirs.
            #[inline(never)]
            fn call(
                request: &::rhost_sdk::Request,
                params: ::rhost_sdk::routing::Params<'_>,
            ) -> ::rhost_sdk::Response {
                let _ = (request, params);
                #(#bindings)*
                #answer
            }
        }
    })
}

/// Refuses what cannot be called once for each request, with the reason.
fn check_signature(function: &ItemFn) -> Result<()> {
    let signature = &function.sig;
    if let Some(token) = &signature.asyncness {
        return Err(Error::new(
            token.span(),
            "a handler is a plain function: where it has to wait, the server suspends its sandbox",
        ));
    }
    if let Some(token) = &signature.unsafety {
        return Err(Error::new(
            token.span(),
            "a handler cannot be `unsafe`: the server calls it",
        ));
    }
    for parameter in &signature.generics.params {
        if !matches!(parameter, GenericParam::Lifetime(_)) {
            return Err(Error::new(
                parameter.span(),
                "a handler cannot be generic: nothing says which type to call it with",
            ));
        }
    }
    Ok(())
}
