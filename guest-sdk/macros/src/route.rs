//! A route attribute: the function as it was, and a type of the same name.
//!
//! Functions and types have namespaces of their own, so the type can take the
//! function's name: `use users::show` imports both, and `app!(users::show)`
//! finds the route by the path that names the function.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Error, FnArg, GenericParam, ItemFn, LitStr, Pat, PatType, Result, ReturnType, Type};

use crate::methods::Arguments;
use crate::pattern::{self, Segment};

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
    let arguments = arguments(&function)?;
    check_parameters(&segments, &arguments, &text, &literal)?;

    let (bindings, variables) = bindings(&segments, &arguments);
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
            const ROUTE: ::rhost_sdk::routing::Route = {
                fn call(
                    request: &::rhost_sdk::Request,
                    params: ::rhost_sdk::routing::Params<'_>,
                ) -> ::rhost_sdk::Response {
                    let _ = (request, params);
                    #(#bindings)*
                    #answer
                }
                ::rhost_sdk::routing::Route {
                    methods: ::rhost_sdk::Methods::of(&[#(::rhost_sdk::Method::#methods),*]),
                    pattern: #literal,
                    segments: &[#(#segments),*],
                    prefix: 0,
                    name: ::core::concat!(::core::module_path!(), "::", #text),
                    call,
                }
            };
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

fn arguments(function: &ItemFn) -> Result<Vec<&PatType>> {
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
fn check_parameters(
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
fn bindings(segments: &[Segment], arguments: &[&PatType]) -> (Vec<TokenStream>, Vec<Ident>) {
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
