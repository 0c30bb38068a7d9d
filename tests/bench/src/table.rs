//! The table that is printed at the end.

use std::fmt;

use crate::record::Record;

/// What was found, with the ratios that the project goes by.
pub(crate) struct Table {
    of: String,
    records: Vec<Record>,
}

impl Table {
    /// An empty table about that.
    pub(crate) fn new(of: String) -> Self {
        Self { of, records: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, record: Record) {
        self.records.push(record);
    }

    /// The rate of the measurement with that name.
    fn rate(&self, name: &str) -> Option<f64> {
        self.records.iter().find(|record| record.name == name).map(Record::rate)
    }

    /// What share of another a measurement reaches, where it is compared with one.
    fn share(&self, record: &Record) -> Option<String> {
        let other = match record.name.strip_suffix(", JSON") {
            Some(name) => format!("{name}, gRPC"),
            None if record.name == "ReportEvent, gRPC" => "pgbench, the SQL of ReportEvent".to_owned(),
            None => return None,
        };
        Some(format!("{:.0} % of {other}", 100.0 * record.rate() / self.rate(&other)?))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}\n", self.of)?;
        writeln!(
            f,
            "| what | per second | p50 ms | p99 ms | max ms | shed | failed | cores (memory MiB) | |"
        )?;
        writeln!(f, "|---|---:|---:|---:|---:|---:|---:|---|---|")?;
        for record in &self.records {
            let used = record.usage.iter().filter(|u| u.memory > 0.0);
            let used: Vec<_> = used.map(|u| format!("{} {:.2} ({:.0})", u.name, u.cores, u.memory)).collect();
            writeln!(
                f,
                "| {} | {:.0} | {:.2} | {:.2} | {:.0} | {} | {} | {} | {} |",
                record.name,
                record.rate(),
                record.quantile(0.5),
                record.quantile(0.99),
                record.quantile(1.0),
                record.shed,
                record.failed.values().sum::<u64>(),
                used.join(", "),
                self.share(record).unwrap_or_default(),
            )?;
        }
        for (record, code, count) in
            self.records.iter().flat_map(|r| r.failed.iter().map(move |(code, count)| (&r.name, code, count)))
        {
            writeln!(f, "\n{record}: {count} × {code}")?;
        }
        Ok(())
    }
}
