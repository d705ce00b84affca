//! The table of a site, and the export of the application.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Error;
use syn::spanned::Spanned;

use crate::site::{Listed, Site};

pub(crate) fn expand(site: TokenStream) -> TokenStream {
    syn::parse2(site).map_or_else(Error::into_compile_error, app)
}

fn app(site: Site) -> TokenStream {
    let hooks = site.hooks.expand();
    let count = site.routes.len();
    let routes = site.routes.iter().map(route);
    // A constant for each name, so that rustc reports a duplicate where the name
    // stands rather than on the whole list.
    let checks = site.routes.iter().enumerate().map(|(place, listed)| {
        quote_spanned!(listed.path.span()=> const _: () = ORDER.check(LISTED, #place);)
    });

    quote! {
        /// The site: its routes, in the order in which they are searched.
        pub static APP: ::rhost_sdk::App = {
            const LISTED: &[::rhost_sdk::routing::Route; #count] = &[#(#routes),*];
            // A large site takes more steps than the lint waits for.
            #[allow(long_running_const_eval)]
            const ORDER: &::rhost_sdk::routing::Order<#count> =
                &::rhost_sdk::routing::Order::of(LISTED);
            static TABLE: [::rhost_sdk::routing::Route; #count] = ORDER.table(LISTED);
            #(#checks)*
            ::rhost_sdk::App::new(&TABLE) #hooks
        };

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

/// The route of a function, with what stands before its pattern.
fn route(Listed { path, prefix }: &Listed) -> TokenStream {
    let own = quote_spanned!(path.span()=> <#path as ::rhost_sdk::routing::Handler>::ROUTE);
    if prefix.is_empty() {
        return own;
    }
    let octets = prefix.len();
    let segments: Vec<_> = prefix.split('/').skip(1).collect();
    let count = segments.len();
    quote! {{
        const OWN: ::rhost_sdk::routing::Route = #own;
        const PATTERN: &[u8; #octets + OWN.pattern.len()] =
            &::rhost_sdk::routing::join(0, #prefix.as_bytes(), OWN.pattern.as_bytes());
        const SEGMENTS: &[::rhost_sdk::routing::Segment; #count + OWN.segments.len()] =
            &::rhost_sdk::routing::join(
                ::rhost_sdk::routing::Segment::Literal(""),
                &[#(::rhost_sdk::routing::Segment::Literal(#segments)),*],
                OWN.segments,
            );
        OWN.below(#count, PATTERN, SEGMENTS)
    }}
}
