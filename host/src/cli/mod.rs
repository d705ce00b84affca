//! The command line: what was asked for, before anything is done about it.

mod admin;
mod app;
mod app_limits;
mod build;
mod check;
mod compile;
mod config;
mod flags;
mod inspect;
mod life;
mod limits;
mod listen;
mod manual;
mod new;
mod parse;
mod progress;
mod proxy;
mod reuse;
mod serve;
mod traces;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use flags::Serve;
use std::path::PathBuf;
use std::process::ExitCode;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Serves sandboxed web applications made as WebAssembly components
#[derive(Debug, Parser)]
#[command(name = "rhost", version, styles = STYLES, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a project that builds, tests and serves at once
    #[command(after_help = "\
Examples:
  rhost new shop                                pages, a form, a style sheet
  rhost new shop --template api                 JSON
  rhost new apps/shop --vcs none                without a repository of its own")]
    New(new::New),

    /// Serve an app, each request in a fresh sandbox
    #[command(after_help = "\
Examples:
  rhost serve                                   the crate in this directory, on http://127.0.0.1:8000/
  rhost serve app.wasm                          a component
  rhost serve examples/hello                    build the crate first
  rhost serve examples/hello --watch            and again when it changes
  rhost serve wsgi_app:app                      a WSGI program: MODULE:CALLABLE, FILE.py:CALLABLE, or its directory
  rhost serve hello.py --cgi                    a script that prints its answer, or cgi-bin, a directory of them
  rhost serve app.wasm --addr 0.0.0.0:80 --env GREETING=hi
  rhost serve app.wasm --dir ./data:/data --dir ./static:/static:ro
  rhost serve app.wasm --addr '[::]:443' --tls-cert site.pem --tls-key site.key
  rhost serve app.wasm --addr unix:/run/rhost.sock --unix-mode 660 --trusted-proxy unix
  rhost serve app.wasm --mount /blog --cpu 500ms --memory 64MiB
  rhost serve app.wasm --admin 127.0.0.1:9000   and then: curl 127.0.0.1:9000/ready
  rhost serve app.wasm --pid-file /run/rhost.pid
  kill -USR2 $(cat /run/rhost.pid)              upgrade: a new process takes over, no request is lost
  rhost serve -c rhost.toml                     many apps, by host and path
  rhost serve --state state                     apps that are deployed; see `rhost deploy --help`
  kill -HUP $(cat /run/rhost.pid)               apply the file again, no request is lost

Nothing reaches the app but what is named: no files, no variables, no network.
The access log goes to standard output, everything else to standard error.")]
    Serve(Box<Serve>),

    /// Deploy a component to a server that runs, as a new version of an app
    #[command(after_help = "\
Examples:
  export RHOST_ADMIN=state/admin.sock           of `rhost serve --state state`
  rhost deploy app.wasm --app shop --host shop.localhost
  rhost deploy app.wasm --app shop              another version, with the settings that it had
  rhost deploy app.wasm --app shop --env GREETING=hi --set memory=64MiB --unset cpu
  rhost deploy $(rhost build -q) --app shop     the crate in this directory
  RHOST_TOKEN=$TOKEN rhost deploy app.wasm --app shop --admin 127.0.0.1:9000

The server checks, compiles and tries it before it serves it; what it served until then it serves on
if anything is wrong. Requests in flight finish on the version that began them.
--set takes the keys of an app in rhost.toml; see docs/configuration.md.")]
    Deploy(admin::Deploy),

    /// List a server's apps
    #[command(after_help = "\
Examples:
  rhost apps
  rhost apps --json | jq -r '.apps[] | select(.state == \"faulty\") | .why'")]
    Apps(admin::Apps),

    /// Show, disable, enable or delete an app of a server
    #[command(subcommand)]
    App(admin::App),

    /// Serve a version of an app again that was deployed before, with its settings
    #[command(after_help = "\
Examples:
  rhost rollback shop                           the version before
  rhost rollback shop 3                         `rhost app show shop` lists them")]
    Rollback(admin::Rollback),

    /// Show what an app logged
    #[command(after_help = "\
Examples:
  rhost logs shop
  rhost logs shop -f                            and what comes, until Ctrl-C
  rhost logs shop -f --json | jq -r .text")]
    Logs(admin::Logs),

    /// Show what a server's apps use, as it happens
    #[command(after_help = "\
Examples:
  rhost top                                     requests, latency, CPU of each app, until Ctrl-C
  rhost top --interval 10s -n 20
  rhost top --once --json | jq -r '.apps[] | select(.errors_per_second > 0) | .app'

Of two looks at what each app has used it shows the difference; P50 and P99 are of the requests
between them, CPU is 100% for a core, and MEMORY the most that a sandbox has had since the start.")]
    Top(admin::Top),

    /// Make, list and revoke tokens, which the admin API wants over TCP
    #[command(subcommand)]
    Token(admin::Token),

    /// Check, show and describe rhost.toml, the file of `rhost serve -c`
    #[command(subcommand)]
    Config(config::ConfigCommand),

    /// Build a crate as a small, fast component, or a WSGI program
    #[command(after_help = "\
Examples:
  rhost build                                   the crate in this directory
  rhost build examples/hello -o app.wasm
  rhost build wsgi_app:app -o app.wasm          a WSGI program; what it needs goes into app.files
  rhost serve $(rhost build -q)
  rhost build --json | jq .size

Where the component is stands alone on standard output, all else on standard error.
Of cargo's profile `release` it sets lto = \"fat\" and codegen-units = 1, unless the manifest or
CARGO_PROFILE_RELEASE_* says otherwise; then it takes off the sections that nobody needs at run time.")]
    Build(build::Build),

    /// Show what a component needs, offers and weighs; nothing of it runs
    #[command(after_help = "\
Examples:
  rhost inspect app.wasm                        imports and who lends them, exports, memory, size
  rhost inspect app.wasm --wit                  its types, in WIT
  rhost inspect app.wasm --json | jq .parts")]
    Inspect(Inspect),

    /// Serve an app to itself, and say which rules of the gateway and of HTTP it breaks
    #[command(after_help = "\
Examples:
  rhost check                                   the crate in this directory
  rhost check app.wasm
  rhost check wsgi_app:app --path /login --path '/search?q=a'
  rhost check app.wasm --env GREETING=hi --dir ./test-data:/data
  rhost check app.wasm --strict --quiet         for CI: nothing but findings
  rhost check app.wasm --json | jq '.findings[].rule'

It asks for / and for each --path with GET, HEAD, OPTIONS, POST and a method that nobody has, over
HTTP/1.0, HTTP/1.1 and HTTP/2, and once for what is right and rare. POST may write: lend it
directories that are made for it.
Exit status: 0 it passed; 1 a rule of level error is broken (--strict: or of level warning);
2 there was nothing to check, or the command line is wrong.")]
    Check(Box<check::Check>),

    /// Print a script that completes rhost's commands in a shell
    #[command(after_help = "\
Examples:
  rhost completions bash > ~/.local/share/bash-completion/completions/rhost
  rhost completions fish > ~/.config/fish/completions/rhost.fish")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },

    /// Print the manual page
    #[command(after_help = "\
Examples:
  rhost man | man -l -
  rhost man > ~/.local/share/man/man1/rhost.1")]
    Man,
}

#[derive(Debug, Args)]
struct Inspect {
    /// A component
    component: PathBuf,

    /// Print its types in WIT, and nothing else
    #[arg(long, conflicts_with = "json")]
    wit: bool,

    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// Why a command failed: a line, the last word of which is what to do.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum Error {
    /// `rhost new`.
    New(#[from] new::Error),
    /// `rhost build`.
    Build(#[from] build::Error),
    /// `rhost serve`.
    Serve(#[from] serve::Error),
    /// `rhost deploy`, and what else asks a server.
    Admin(#[from] admin::Error),
    /// `rhost config`.
    Config(#[from] config::Error),
    /// `rhost inspect`.
    Inspect(#[from] inspect::Error),
    /// `rhost check`.
    Check(#[from] check::Error),
}

impl Error {
    /// What the process ends with. Of a check, 1 says that rules are broken.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Error::Admin(error) if error.is_usage() => ExitCode::from(2),
            Error::Check(_)
            | Error::Config(_)
            | Error::Serve(
                serve::Error::Config(_) | serve::Error::OfOneApp(_) | serve::Error::BesideState(_),
            ) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

/// Does what the command line asks for, and says how the process is to end.
pub fn run(upkeep: fn()) -> Result<ExitCode, Error> {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match cli.command {
        Command::New(args) => new::run(&args)?,
        Command::Build(args) => build::run(&args)?,
        Command::Serve(args) => {
            let matches = matches.subcommand_matches("serve").expect("it is `serve`");
            serve::run(*args, matches, upkeep)?;
        }
        Command::Deploy(args) => admin::deploy(&args)?,
        Command::Apps(args) => admin::apps(&args)?,
        Command::App(command) => admin::app(&command)?,
        Command::Rollback(args) => admin::rollback(&args)?,
        Command::Logs(args) => admin::logs(&args)?,
        Command::Top(args) => admin::top(&args)?,
        Command::Token(command) => admin::token(&command)?,
        Command::Config(command) => config::run(command)?,
        Command::Inspect(args) => inspect::run(&args)?,
        Command::Check(args) => {
            return Ok(match check::run(*args)? {
                true => ExitCode::SUCCESS,
                false => ExitCode::FAILURE,
            });
        }
        Command::Completions { shell } => manual::completions(shell, &mut Cli::command()),
        Command::Man => manual::page(Cli::command()),
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rhost::settings::{ConnectionLimits, HeadLimits, Limits, Reuse, Timeouts};

    #[test]
    fn a_flag_stands_under_its_own_heading() {
        let mut cli = Cli::command();
        cli.build();
        for (command, flags) in [
            ("serve", ["dev", "quiet", "threads"]),
            ("check", ["wait", "strict", "json"]),
        ] {
            let command = cli.find_subcommand(command).expect("it is there");
            for flag in flags {
                let flag = command.get_arguments().find(|arg| arg.get_id() == flag);
                assert_eq!(flag.expect("it is there").get_help_heading(), None);
            }
        }
    }

    #[test]
    fn an_instance_is_reused_only_where_it_is_said() {
        let reuse = |flags: &[&str]| {
            let words = ["rhost", "serve", "app.wasm"].iter().chain(flags);
            Cli::try_parse_from(words).map(|cli| match cli.command {
                Command::Serve(args) => args.app.settings("x".into()).reuse,
                other => panic!("it is `serve`: {other:?}"),
            })
        };
        let is_on = |flags: &[&str]| reuse(flags).expect("it parses").is_on();
        assert!(!is_on(&[]) && !is_on(&["--reuse", "1"]) && is_on(&["--reuse", "2"]));
        for flags in [&["--reuse", "0"][..], &["--reuse-for", "1m"]] {
            let error = reuse(flags).expect_err("it is refused").to_string();
            assert!(error.contains("--reuse"), "{error}");
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_flags_defaults_are_the_librarys() {
        let Command::Serve(args) = Cli::parse_from(["rhost", "serve", "app.wasm"]).command else {
            panic!("it is `serve`");
        };
        let settings = args.app.settings("x".into());
        let shown = format!(
            "{:?} {:?} {:?} {:?} {:?}",
            settings.limits,
            settings.reuse,
            args.head_limits(),
            args.connections.limits(),
            args.timeouts()
        );
        assert_eq!(
            shown,
            format!(
                "{:?} {:?} {:?} {:?} {:?}",
                Limits::default(),
                Reuse::default(),
                HeadLimits::default(),
                ConnectionLimits::default(),
                Timeouts::default()
            )
        );
    }
}
