//! What rhost says of itself beyond `--help`: completions and the manual page.

use clap::Command;
use clap_complete::Shell;
use std::io::{self, Write};

/// Prints the script that completes `command` in `shell`.
pub fn completions(shell: Shell, command: &mut Command) {
    let mut script = Vec::new();
    clap_complete::generate(shell, command, "rhost", &mut script);
    print(&script);
}

/// Prints the manual page: of `command`, and after it of each of its commands.
pub fn page(mut command: Command) {
    command.build();
    let mut page = Vec::new();
    let _ = clap_mangen::Man::new(command.clone()).render(&mut page);
    for part in command
        .get_subcommands()
        .filter(|part| part.get_name() != "help")
    {
        let man = clap_mangen::Man::new(part.clone());
        let name = part.get_name().to_uppercase();
        let _ = writeln!(page, ".SH \"RHOST {name}\"");
        let _ = man.render_description_section(&mut page);
        let _ = man.render_options_section(&mut page);
        let _ = man.render_extra_section(&mut page);
    }
    print(&page);
}

/// Whoever reads it may stop before its end.
fn print(text: &[u8]) {
    let _ = io::stdout().write_all(text);
}
