//! The table of a site, which is code, and the export of the application.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Error;
use syn::spanned::Spanned;

use crate::site::{Listed, Site};
use crate::steps;

pub(crate) fn expand(site: TokenStream) -> TokenStream {
    syn::parse2(site).map_or_else(Error::into_compile_error, app)
}

fn app(site: Site) -> TokenStream {
    let hooks = site.hooks.expand();
    let table = table(&site.routes);
    quote! {
        /// The site: its routes, and what runs around them.
        pub static APP: ::rhost_sdk::App = ::rhost_sdk::App::new(#table) #hooks;

        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Application;
            impl ::rhost_sdk::gateway::Guest for Application {
                fn handle(
                    environ: ::rhost_sdk::gateway::Environ,
                    input: ::rhost_sdk::gateway::Input,
                ) -> ::core::result::Result<(), ::rhost_sdk::gateway::Failure> {
                    APP.handle(environ, input)
                }
            }
            ::rhost_sdk::gateway::export!(Application);
        };
    }
}

/// The table: a constant that knows the keys, and functions that have them.
fn table(routes: &[Listed]) -> TokenStream {
    let count = routes.len();
    // A name for each path, so that what is wrong with one is said once.
    let names: Vec<_> = (0..count)
        .map(|place| format_ident!("__Route{place}"))
        .collect();
    let types = routes
        .iter()
        .zip(&names)
        .map(|(listed, name)| route(listed, name));
    let listed = routes.iter().zip(&names).map(|(listed, name)| {
        quote_spanned!(listed.path.span()=> <#name as ::rhost_sdk::routing::Handler>::ROUTE)
    });
    // A constant for each name, so that rustc reports a duplicate where the name
    // stands rather than on the whole list.
    let checks = routes.iter().enumerate().map(|(place, listed)| {
        quote_spanned!(listed.path.span()=> const _: () = INDEX.check(LISTED, #place);)
    });
    let places = 0..count;
    let keys: Vec<_> = (0..count)
        .map(|place| format_ident!("KEY_{place}"))
        .collect();
    let key_values = places.clone().map(|place| quote!(INDEX.key(#place)));
    let first = places.map(|place| quote!(::core::option::Option::Some(#place)));
    let rows = arms(&names, |place, name| {
        quote! {
            ::rhost_sdk::routing::Row {
                fits: <#name as ::rhost_sdk::routing::Handler>::fits(
                    &mut ::rhost_sdk::routing::Cursor::new(path),
                ),
                methods: const { LISTED[#place].methods },
                next: const { INDEX.next(#place) },
            }
        }
    });
    let calls = arms(&names, |place, name| {
        quote! {
            <#name as ::rhost_sdk::routing::Handler>::call(
                request,
                ::rhost_sdk::routing::Params::new(path, const { LISTED[#place].prefix }),
            )
        }
    });

    quote! {{
        #(#types)*
        const LISTED: &[::rhost_sdk::routing::Route; #count] = &[#(#listed),*];
        // A large site takes more steps than the lint waits for.
        #[allow(long_running_const_eval)]
        const INDEX: &::rhost_sdk::routing::Index<#count> =
            &::rhost_sdk::routing::Index::of(LISTED);
        #(#checks)*
        #(const #keys: ::core::primitive::u64 = #key_values;)*

        // Of routes with one key the first is reached, and names the next.
        #[allow(unreachable_patterns)]
        fn first(key: ::core::primitive::u64) -> ::core::option::Option<::core::primitive::usize> {
            match key {
                #(#keys => #first,)*
                _ => ::core::option::Option::None,
            }
        }
        fn row(
            place: ::core::primitive::usize,
            path: &[::core::primitive::u8],
        ) -> ::rhost_sdk::routing::Row {
            match place {
                #(#rows)*
            }
        }
        fn call(
            place: ::core::primitive::usize,
            request: &::rhost_sdk::Request,
            path: &[::core::primitive::u8],
        ) -> ::rhost_sdk::Response {
            match place {
                #(#calls)*
            }
        }
        static SHAPES: [::rhost_sdk::routing::Shape; INDEX.shape_count()] = INDEX.shapes();
        static TABLE: ::rhost_sdk::routing::Table = ::rhost_sdk::routing::Table {
            shapes: &SHAPES,
            methods: ::rhost_sdk::routing::methods(LISTED),
            first,
            row,
            call,
        };
        &TABLE
    }}
}

/// An arm for each place; the last takes what is left, which is nothing.
fn arms(names: &[Ident], arm: impl Fn(usize, &Ident) -> TokenStream) -> Vec<TokenStream> {
    let last = names.len() - 1;
    let arms = names.iter().enumerate().map(|(place, name)| {
        let body = arm(place, name);
        match place == last {
            true => quote!(_ => #body,),
            false => quote!(#place => #body,),
        }
    });
    arms.collect()
}

/// A name for the type of a function's route, or a type of its own where
/// something stands before the pattern.
fn route(Listed { path, prefix }: &Listed, name: &Ident) -> TokenStream {
    if prefix.is_empty() {
        return quote_spanned!(path.span()=> type #name = #path;);
    }
    let octets = prefix.len();
    let segments: Vec<_> = prefix.split('/').skip(1).collect();
    let count = segments.len();
    // Without the slash that no path has, and with the one that the pattern begins
    // with.
    let steps = steps::text(&format!("{}/", &prefix[1..]));
    let own = quote_spanned!(path.span()=> <#path as ::rhost_sdk::routing::Handler>);
    let below = quote_spanned!(path.span()=> OWN.below(#count, PATTERN, SEGMENTS));
    quote! {
        enum #name {}
        impl ::rhost_sdk::routing::Handler for #name {
            const ROUTE: ::rhost_sdk::routing::Route = {
                const OWN: ::rhost_sdk::routing::Route = #own::ROUTE;
                const PATTERN: &[::core::primitive::u8; #octets + OWN.pattern.len()] =
                    &::rhost_sdk::routing::join(0, #prefix.as_bytes(), OWN.pattern.as_bytes());
                const SEGMENTS: &[::rhost_sdk::routing::Segment; #count + OWN.segments.len()] =
                    &::rhost_sdk::routing::join(
                        ::rhost_sdk::routing::Segment::Literal(""),
                        &[#(::rhost_sdk::routing::Segment::Literal(#segments)),*],
                        OWN.segments,
                    );
                #below
            };
            fn fits(path: &mut ::rhost_sdk::routing::Cursor<'_>) -> ::core::primitive::bool {
                #(#steps &&)* #own::fits(path)
            }
            fn call(
                request: &::rhost_sdk::Request,
                params: ::rhost_sdk::routing::Params<'_>,
            ) -> ::rhost_sdk::Response {
                #own::call(request, params)
            }
        }
    }
}
