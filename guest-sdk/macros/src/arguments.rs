//! The arguments of a handler: which are parameters of its path, and where each
//! comes from.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Error, FnArg, ItemFn, LitStr, Pat, PatType, Result, Type};

use crate::pattern::Segment;

/// The arguments of a function that is free.
pub(crate) fn of(function: &ItemFn) -> Result<Vec<&PatType>> {
    function
        .sig
        .inputs
        .iter()
        .map(|argument| match argument {
            FnArg::Typed(argument) => Ok(argument),
            FnArg::Receiver(receiver) => Err(Error::new(
                receiver.span(),
                "a handler is a free function, without `self`",
            )),
        })
        .collect()
}

/// Every `{name}` needs its argument; the error stands on the literal.
pub(crate) fn check(
    segments: &[Segment],
    arguments: &[&PatType],
    function: &str,
    literal: &LitStr,
) -> Result<()> {
    for segment in segments {
        if let Some(name) = segment.name()
            && !arguments
                .iter()
                .any(|argument| argument_name(argument).as_ref() == Some(name))
        {
            return Err(Error::new(
                literal.span(),
                format!("`{segment}` has no argument: `{function}` takes none named `{name}`"),
            ));
        }
    }
    Ok(())
}

/// The name of an argument that is a plain name.
fn argument_name(argument: &PatType) -> Option<String> {
    match &*argument.pat {
        Pat::Ident(pattern) if pattern.subpat.is_none() => Some(pattern.ident.unraw().to_string()),
        _ => None,
    }
}

/// Whether a type is written `&str`.
fn is_text(ty: &Type) -> bool {
    matches!(ty, Type::Reference(reference)
        if reference.mutability.is_none()
            && matches!(&*reference.elem, Type::Path(path) if path.path.is_ident("str")))
}

/// A statement for each argument, and the variables that they fill.
pub(crate) fn bindings(
    segments: &[Segment],
    arguments: &[&PatType],
) -> (Vec<TokenStream>, Vec<Ident>) {
    let mut bindings = Vec::new();
    let mut variables = Vec::new();
    for (position, argument) in arguments.iter().enumerate() {
        let variable = format_ident!("argument_{position}");
        let ty = &argument.ty;
        let ty = anonymous(quote!(#ty));
        let place = argument_name(argument).and_then(|name| {
            segments
                .iter()
                .position(|segment| segment.name() == Some(&name))
        });
        // The spans put "is not implemented" on the argument's type.
        let value = match place {
            Some(index) => {
                let octets = match segments[index] {
                    Segment::Tail(_) => quote!(params.tail(#index)),
                    _ => quote!(params.segment(#index)),
                };
                match is_text(&argument.ty) {
                    true => quote!(::rhost_sdk::routing::text(#octets)),
                    false => quote_spanned!(argument.ty.span()=>
                        ::rhost_sdk::routing::param::<#ty>(#octets)
                    ),
                }
            }
            None => quote_spanned!(argument.ty.span()=>
                <#ty as ::rhost_sdk::FromRequest<'_>>::from_request(request)
            ),
        };
        bindings.push(quote! {
            let #variable = match #value {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(rejection) => {
                    return ::rhost_sdk::Responder::respond(rejection);
                }
            };
        });
        variables.push(variable);
    }
    (bindings, variables)
}

/// The type with its named lifetimes left to inference: those that the function
/// declares mean nothing beside it.
fn anonymous(tokens: TokenStream) -> TokenStream {
    let mut after_quote = false;
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Ident(name) if after_quote && name != "static" => {
                after_quote = false;
                TokenTree::Ident(Ident::new("_", name.span()))
            }
            TokenTree::Group(group) => {
                after_quote = false;
                let mut inner = Group::new(group.delimiter(), anonymous(group.stream()));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            token => {
                after_quote = matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '\'');
                token
            }
        })
        .collect()
}
