//! The command line is well formed.

use clap::{CommandFactory as _, Parser as _};

use super::*;

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_and_every_argument_says_what_it_is() {
    fn visit(command: &clap::Command, path: &str) {
        let path = format!("{path} {}", command.get_name());
        assert!(command.get_about().is_some(), "{path}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{path} {}", argument.get_id());
        }
        let is_leaf = command.get_subcommands().next().is_none();
        let takes_some = command.get_arguments().count() > 0;
        if is_leaf && takes_some {
            assert!(command.get_after_help().is_some(), "{path} has no example");
        }
        command.get_subcommands().for_each(|below| visit(below, &path));
    }
    visit(&Cli::command(), "");
}

/// What the program says of a command line that it cannot understand: its first line.
fn refused(line: &str) -> String {
    let words = line.split_whitespace();
    let error = Cli::try_parse_from(words).unwrap_err().to_string();
    error.lines().next().unwrap().to_owned()
}

#[test]
fn bad_command_lines_are_explained() {
    #[rustfmt::skip]
    let table = [
        ("driftline check --idp a.csv",
         "error: the following required arguments were not provided:"),
        ("driftline check --idp a --app b --as-of a=yesterday",
         "error: invalid value 'a=yesterday' for '--as-of <FILE=TIME>': write date, time and zone, as FILE=2026-11-20T02:00:00Z"),
        ("driftline check --idp a --app b --profile a",
         "error: invalid value 'a' for '--profile <FILE=NAME>': write FILE=VALUE, with FILE as it is named above"),
        ("driftline findings show seventeen",
         "error: invalid value 'seventeen' for '<ID>': write the number of a finding, as DL-17"),
        ("driftline findings list --severity hihg",
         "error: invalid value 'hihg' for '--severity <SEVERITY>': did you mean `high`? expected one of `low`, `medium`, `high`, `critical`"),
        ("driftline findings link --account a --reason r",
         "error: the following required arguments were not provided:"),
        ("driftline findings link --from a.csv --account b",
         "error: the argument '--from <CSV>' cannot be used with '--account <ID>'"),
        ("driftline report --night 20.11.2026",
         "error: invalid value '20.11.2026' for '--night <DATE>': write a date in full, as 2026-11-20"),
        ("driftline report --night 2026-11-20 --run 3",
         "error: the argument '--night <DATE>' cannot be used with '--run <N>'"),
    ];
    for (line, expected) in table {
        assert_eq!(refused(line), expected, "{line}");
    }
}

#[test]
fn help_is_as_committed() {
    fn page(command: &clap::Command, text: &mut String) {
        let help = command.clone().term_width(100).render_long_help();
        let name = command.get_bin_name().unwrap_or(command.get_name());
        text.push_str(&format!("===== {name} --help\n\n{help}\n"));
        command.get_subcommands().for_each(|below| page(below, text));
    }
    let mut command = Cli::command();
    command.build();
    let mut text = String::new();
    page(&command, &mut text);
    insta::assert_snapshot!("help", text);
}

#[test]
fn fail_on_names_a_severity_or_none() {
    let line = "driftline check --idp a --app b --fail-on medium";
    for (line, expected) in [
        ("driftline check --idp a --app b", Some(domain::Severity::High)),
        (line, Some(domain::Severity::Medium)),
    ] {
        let Command::Check(args) = Cli::try_parse_from(line.split_whitespace()).unwrap().command
        else {
            panic!("another command");
        };
        assert_eq!(args.fail_on.severity(), expected, "{line}");
    }
    let Command::Run(args) = Cli::try_parse_from(["driftline", "run", "--once"]).unwrap().command
    else {
        panic!("another command");
    };
    assert_eq!(args.fail_on.severity(), None);
}

#[test]
fn states_and_causes_may_be_listed() {
    let line = "driftline findings list --state open,pending --cause leaver_active,reactivated";
    let cli = Cli::try_parse_from(line.split_whitespace()).unwrap();
    let Command::Findings(command) = cli.command else { panic!("another command") };
    let FindingsCommand::List(list) = *command else { panic!("another command") };
    assert_eq!(list.filter.state.len(), 2);
    assert_eq!(list.filter.cause.len(), 2);
}
