//! How long the questions of the analysis take on a law book, each for itself.
//!
//!     cargo bench --bench questions -- DIR [RUNS]
//!
//! `tests/oracle/synthetic.py` makes law books to ask about. Prints medians in milliseconds, by the clock and of
//! all cores together; absolute times belong to the machine.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use lawbook::analysis::Analysis;
use lawbook::workspace::Origin;
use lawbook::workspace::Workspace;

// The program has this allocator too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let Some(dir) = arguments.next() else {
        println!("name the folder of a law book, and how often to ask");
        return Ok(());
    };
    let runs: usize = arguments.next().map_or(Ok(5), |runs| runs.parse())?;
    let workspace = Workspace::open(Path::new(&dir), &Origin::Worktree)?;
    let set = workspace.compile().map_err(|_| "the law book does not compile: `lawbook check` says why")?;
    let statements = set.statements();
    println!("{dir}: {} statements, {} cores", statements.len(), std::thread::available_parallelism()?);
    let analysis = Analysis::new(&[statements]);
    let (dead, undecided) = analysis.dead();
    let gone: BTreeSet<usize> = dead.iter().map(|dead| dead.grant).collect();
    let found = analysis.superfluous(&gone);
    println!(
        "{} dead, {} redundant, {} inert, {} conflicts, {} undecided",
        dead.len(),
        found.redundant.len(),
        found.inert.len(),
        analysis.conflicts(&BTreeSet::new()).0.len(),
        undecided.len() + found.undecided.len()
    );
    print("prepare", runs, || drop(black_box(Analysis::new(&[statements]))));
    print("dead", runs, || drop(black_box(analysis.dead())));
    print("superfluous", runs, || drop(black_box(analysis.superfluous(&gone))));
    print("conflicts", runs, || drop(black_box(analysis.conflicts(&BTreeSet::new()))));
    print("meaning", runs, || drop(black_box(analysis.meaning())));
    print("management", runs, || drop(black_box(analysis.management(0))));
    Ok(())
}

fn print(name: &str, runs: usize, ask: impl Fn()) {
    let (mut times, mut used) = (Vec::new(), Vec::new());
    for _ in 0..runs.max(1) {
        let (start, before) = (Instant::now(), used_so_far());
        ask();
        times.push(start.elapsed());
        used.push(used_so_far().saturating_sub(before));
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default().as_secs_f64() * 1e3
    };
    println!("{name:<12} {:>9.2} ms {:>9.0} ms on all cores", median(&mut times), median(&mut used));
}

/// The time that this process has had on all cores, in hundredths of a second, where the system says so (proc_pid_stat(5)).
fn used_so_far() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    Duration::from_millis(fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10)
}
