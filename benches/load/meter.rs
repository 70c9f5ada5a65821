//! CPU time of a measured run, and statistics over several runs.

use std::time::Instant;

use super::process::{Process, all_cpu, own_cpu};

/// A measurement in progress.
pub struct Meter {
    begun: Instant,
    server: f64,
    load: f64,
    all: f64,
}

/// CPU seconds of a run.
#[derive(Clone, Copy, Default)]
pub struct Spent {
    /// Duration of the run.
    pub seconds: f64,
    /// CPU seconds of the server.
    pub server: f64,
    /// CPU seconds of this process.
    pub load: f64,
    /// CPU seconds of all other processes of the machine.
    pub others: f64,
}

impl Meter {
    /// Starts a measurement.
    pub fn start(process: &Process) -> Self {
        let (server, load, all) = (process.cpu(), own_cpu(), all_cpu());
        Self {
            begun: Instant::now(),
            server,
            load,
            all,
        }
    }

    /// Ends the measurement.
    pub fn stop(self, process: &Process) -> Spent {
        let (server, load) = (process.cpu() - self.server, own_cpu() - self.load);
        Spent {
            seconds: self.begun.elapsed().as_secs_f64(),
            server,
            load,
            others: (all_cpu() - self.all - server - load).max(0.0),
        }
    }
}

impl Spent {
    /// Describes the load of all processes, with a warning if the load generator is the bottleneck.
    pub fn remark(&self) -> String {
        let share = |cpu: f64| cpu / self.seconds;
        let (server, load, others) = (share(self.server), share(self.load), share(self.others));
        let limit = if load > 0.9 && server < 0.9 {
            "; the load generator is the bottleneck"
        } else {
            ""
        };
        format!("cores used: server {server:.2}, load {load:.2}, others {others:.2}{limit}")
    }
}

/// Returns the median, or NaN if there are no figures.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Returns the quantile at `share`, or NaN if there are no figures.
pub fn quantile(sorted: &[u32], share: f64) -> f64 {
    let place = ((sorted.len() as f64 - 1.0) * share).round() as usize;
    sorted
        .get(place)
        .map_or(f64::NAN, |figure| f64::from(*figure))
}
