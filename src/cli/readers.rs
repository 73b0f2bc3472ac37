//! `visnyk readers`: how many readers aggregators report for each publication.

use crate::cli::IO_ERROR;
use crate::cli::asking::of_daemon;
use crate::cli::fail;
use crate::cli::say;
use crate::cli::status::Form;
use crate::cli::table::fitted;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::Value;
use std::path::Path;
use std::process::ExitCode;

/// How many aggregators the table names for a publication.
const NAMED_MAX: usize = 3;

/// Tells the readers of each publication. The numbers are in the daemon's memory only.
#[must_use]
pub fn readers(state: &Path, form: Form) -> ExitCode {
    let told = match of_daemon(state, "readers") {
        Ok(Some(told)) => told,
        Ok(None) => {
            let error = "no daemon runs here, and only a daemon knows who has asked it";
            return fail(IO_ERROR, &error);
        }
        Err(error) => return fail(IO_ERROR, &format!("the daemon does not answer: {error}")),
    };
    match (form, serde_json::from_str::<Vec<Value>>(&told)) {
        (Form::Json, Ok(lines)) => say(&serde_json::to_string_pretty(&lines).unwrap_or_default()),
        (Form::Table, Ok(lines)) if lines.is_empty() => say(&"nobody has asked for a publication"),
        (Form::Table, Ok(lines)) => say(&fitted(table(&lines))),
        (_, Err(error)) => fail(IO_ERROR, &format!("the daemon does not answer: {error}")),
    }
}

fn table(lines: &[Value]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["publication", "readers", "requests in 24 h", "reported by"]);
    for line in lines {
        let aggregators = line["aggregators"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut names: Vec<_> = aggregators.iter().take(NAMED_MAX).map(name).collect();
        if aggregators.len() > NAMED_MAX {
            names.push(format!("{} more", aggregators.len() - NAMED_MAX));
        }
        table.add_row([
            line["publication"].as_str().unwrap_or_default().to_owned(),
            line["readers"].to_string(),
            line["requests_24h"].to_string(),
            names.join(", "),
        ]);
    }
    table
}

/// The beginning of what an aggregator calls itself, and its number.
fn name(aggregator: &Value) -> String {
    let agent = aggregator["agent"].as_str().unwrap_or_default();
    let agent = agent.strip_prefix("Mozilla/5.0 (compatible; ").unwrap_or(agent);
    let name: String = agent.chars().take_while(|c| !"/;(".contains(*c)).take(24).collect();
    format!("{} {}", name.trim(), aggregator["readers"])
}
