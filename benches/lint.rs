//! Lint: a profile of 200 KB with 3 000 parameters, correct and full of mistakes, and one of 3 KB.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput};
use phoneprov::profile::lint::{Context, Settings, lint};
use phoneprov::profile::parameters;

fn main() {
    let settings = Settings::default();
    let context = Context::new(&settings);
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("lint");
    for (name, parameters, misspelt) in
        [("3 KB", 48, false), ("200 KB, 3 000 parameters", 3000, false), ("the same, every name misspelt", 3000, true)]
    {
        let text = profile(parameters, misspelt);
        group.throughput(Throughput::Bytes(text.len() as u64));
        let id = format!("{name} ({} bytes)", text.len());
        group.bench_function(id, |bencher| bencher.iter(|| lint(black_box(text.as_bytes()), &context).len()));
    }
    group.finish();
    criterion.final_summary();
}

/// Parameters of the dictionary in turn, as they are sampled, each line of a phone after the other.
fn profile(count: usize, misspelt: bool) -> String {
    let mut text = String::from("<flat-profile>\n");
    let all = parameters::all();
    for place in 0..count {
        let parameter = &all[place % all.len()];
        let line = place / all.len() + 1;
        let name = ["<n>", "<u>", "<k>"]
            .iter()
            .fold(parameter.name().to_owned(), |name, number| name.replace(number, &line.to_string()));
        let name = if misspelt { format!("{name}x") } else { name };
        let value = match parameter.default() {
            parameters::Default::Documented(value) | parameters::Default::Sampled(value) => value,
            parameters::Default::Blank | parameters::Default::Unknown => "",
        };
        let value = value.replace('&', "&amp;").replace('<', "&lt;");
        writeln!(text, "  <{name} ua=\"na\">{value}</{name}>").expect("memory");
    }
    text.push_str("</flat-profile>\n");
    text
}
