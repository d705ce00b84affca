//! `rhost token`.

use super::table::table;
use super::{Error, ServerArgs, print, print_json, text};
use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

/// `rhost token`.
#[derive(Debug, Subcommand)]
pub enum Token {
    /// Make a token, and print it, the only time that it is shown
    #[command(after_help = "\
Examples:
  rhost token create > token                    good for all apps
  rhost token create --tenant acme --note CI    for the apps of one tenant only

The token stands alone on standard output, all else on standard error.")]
    Create(Create),

    /// List tokens, without what they are
    #[command(after_help = "\
Examples:
  rhost token list")]
    List(List),

    /// Make a token worthless
    #[command(after_help = "\
Examples:
  rhost token revoke 1f2e3d4c                   `rhost token list` shows what they are called")]
    Revoke(Revoke),
}

/// `rhost token create`.
#[derive(Debug, Args)]
pub struct Create {
    /// Whose apps it is for [default: all]
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// What it is for, to be listed with it
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    note: String,

    /// Print the answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    server: ServerArgs,
}

/// `rhost token list`.
#[derive(Debug, Args)]
pub struct List {
    /// Print them as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    server: ServerArgs,
}

/// `rhost token revoke`.
#[derive(Debug, Args)]
pub struct Revoke {
    /// What it is called
    id: String,

    /// Print the answer as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    server: ServerArgs,
}

/// Does what is asked for.
pub fn token(command: &Token) -> Result<(), Error> {
    match command {
        Token::Create(args) => create(args),
        Token::List(args) => list(args),
        Token::Revoke(args) => revoke(args),
    }
}

fn create(args: &Create) -> Result<(), Error> {
    let body = match &args.tenant {
        Some(tenant) => json!({ "tenant": tenant, "note": args.note }),
        None => json!({ "all": true, "note": args.note }),
    };
    let made = args.server.client()?.tell("/v1/tokens", &body)?;
    if args.json {
        print_json(&made);
        return Ok(());
    }
    let scope = match &args.tenant {
        Some(tenant) => format!("the apps of {tenant}"),
        None => "all apps".into(),
    };
    eprintln!(
        "rhost: token {} is good for {scope}; it is not shown again",
        text(&made["id"])
    );
    print(&(text(&made["token"]) + "\n"));
    Ok(())
}

fn list(args: &List) -> Result<(), Error> {
    let answer = args.server.client()?.ask(Method::GET, "/v1/tokens")?;
    if args.json {
        print_json(&answer);
        return Ok(());
    }
    let tokens = answer["tokens"].as_array().map_or(&[][..], Vec::as_slice);
    if tokens.is_empty() {
        eprintln!("rhost: there is no token; `rhost token create` makes one");
        return Ok(());
    }
    let row = |token: &Value| {
        let tenant = match token["tenant"].is_null() {
            true => "(all)".into(),
            false => text(&token["tenant"]),
        };
        vec![
            text(&token["id"]),
            tenant,
            text(&token["made"]),
            text(&token["note"]),
        ]
    };
    let rows: Vec<Vec<String>> = tokens.iter().map(row).collect();
    print(&table(&["TOKEN", "TENANT", "MADE", "NOTE"], &rows));
    Ok(())
}

fn revoke(args: &Revoke) -> Result<(), Error> {
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric();
    if args.id.is_empty() || !args.id.bytes().all(is_plain) {
        // It may be the token itself, which is not to stand in a terminal again.
        let text = "a token is revoked by what it is called; `rhost token list` shows that";
        return Err(Error::Usage(text.into()));
    }
    let path = format!("/v1/tokens/{}", args.id);
    let answer = args.server.client()?.ask(Method::DELETE, &path)?;
    match args.json {
        true => print_json(&answer),
        false => print(&format!("{} is revoked\n", args.id)),
    }
    Ok(())
}
