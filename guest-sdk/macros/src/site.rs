//! `app!`: the table of a site, and the export of the application.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Path, Result, Token};

/// The paths that `app!` lists.
struct Site(Punctuated<Path, Token![,]>);

impl Parse for Site {
    fn parse(input: ParseStream<'_>) -> Result<Site> {
        Ok(Site(Punctuated::parse_terminated_with(
            input,
            Path::parse_mod_style,
        )?))
    }
}

pub(crate) fn expand(routes: TokenStream) -> TokenStream {
    site(routes).unwrap_or_else(Error::into_compile_error)
}

fn site(routes: TokenStream) -> Result<TokenStream> {
    let Site(paths) = syn::parse2(routes)?;
    if paths.is_empty() {
        return Err(Error::new(
            Span::call_site(),
            "a site needs a route: `app!(index)`",
        ));
    }
    let count = paths.len();
    let routes = paths
        .iter()
        .map(|path| quote_spanned!(path.span()=> <#path as ::rhost_sdk::routing::Handler>::ROUTE));
    // A constant for each name, so that rustc reports a duplicate where the name
    // stands rather than on the whole list.
    let checks = paths.iter().enumerate().map(
        |(place, path)| quote_spanned!(path.span()=> const _: () = ORDER.check(LISTED, #place);),
    );

    Ok(quote! {
        /// The site: its routes, in the order in which they are searched.
        pub static APP: ::rhost_sdk::App = {
            const LISTED: &[::rhost_sdk::routing::Route; #count] = &[#(#routes),*];
            // A large site takes more steps than the lint waits for.
            #[allow(long_running_const_eval)]
            const ORDER: &::rhost_sdk::routing::Order<#count> =
                &::rhost_sdk::routing::Order::of(LISTED);
            static TABLE: [::rhost_sdk::routing::Route; #count] = ORDER.table(LISTED);
            #(#checks)*
            ::rhost_sdk::App::new(&TABLE)
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
    })
}
