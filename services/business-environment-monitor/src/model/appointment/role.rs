//! Role: what a district appoints people to watch for; data of a district.

use serde::{Deserialize, Serialize};

/// The period of a duty quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DutyPeriod {
    /// A month 每月.
    Month,
    /// A quarter 每季度.
    Quarter,
}

/// A role (聘任角色), e.g. 特约监督员.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonitorRole {
    /// Its code in the district, e.g. `special-supervisor`.
    pub code: String,
    /// What people call it.
    pub display_name: String,
    /// The groups that its people mainly come from 主要来源; somebody from elsewhere needs a recorded reason.
    pub main_groups: Vec<String>,
    /// The longest term, in months.
    pub term_months: u32,
    /// How many terms one person may serve in a row.
    pub max_terms: u32,
    /// How many items of information each person owes.
    pub duty_items: u32,
    /// In which period.
    pub duty_period: DutyPeriod,
}

/// A line of a file of roles that could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct RolesFault {
    /// The line, from 1: the header.
    pub line: usize,
    /// What is wrong with it.
    pub problem: &'static str,
}

const HEADER: &str = "code,name,main_groups,term_months,max_terms,duty_items,duty_period";

/// Reads the shape in which roles are shipped: a header, then one role a line, its groups separated by `;`.
///
/// # Errors
/// The first line that cannot be read.
pub fn parse_roles(csv: &str) -> Result<Vec<MonitorRole>, RolesFault> {
    let mut lines = (1..).zip(csv.trim_start_matches('\u{feff}').lines());
    if lines.next().map(|(_, header)| header.trim_end()) != Some(HEADER) {
        return Err(RolesFault { line: 1, problem: "the header is not that of roles" });
    }
    let mut roles: Vec<MonitorRole> = Vec::new();
    for (line, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
        let role = row(text).map_err(|problem| RolesFault { line, problem })?;
        if roles.iter().any(|other| other.code == role.code) {
            return Err(RolesFault { line, problem: "a code is given once" });
        }
        roles.push(role);
    }
    Ok(roles)
}

fn row(text: &str) -> Result<MonitorRole, &'static str> {
    let fields: Vec<&str> = text.split(',').map(str::trim).collect();
    let Ok([code, name, groups, term, terms, items, period]) = <[&str; 7]>::try_from(fields) else {
        return Err("a row has seven fields");
    };
    let count = |text: &str| text.parse().ok().filter(|count| *count > 0).ok_or("a count is 1 or more");
    let main_groups: Vec<String> = groups.split(';').map(|group| group.trim().to_owned()).collect();
    if code.is_empty() || name.is_empty() || main_groups.iter().any(String::is_empty) {
        return Err("a code, a name and each group are not empty");
    }
    Ok(MonitorRole {
        code: code.to_owned(),
        display_name: name.to_owned(),
        main_groups,
        term_months: count(term)?,
        max_terms: count(terms)?,
        duty_items: count(items)?,
        duty_period: match period {
            "month" => DutyPeriod::Month,
            "quarter" => DutyPeriod::Quarter,
            _ => return Err("a period is `month` or `quarter`"),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../../data/roles.csv");

    #[test]
    fn the_five_roles_are_shipped() {
        let roles = parse_roles(SHIPPED).unwrap();
        let names: Vec<_> = roles.iter().map(|role| role.display_name.as_str()).collect();
        assert_eq!(names, ["特约监督员", "市场体验员", "智慧监督员", "特邀监督员", "体验官"]);
        assert_eq!(roles[0].main_groups, ["党代表", "人大代表", "政协委员"]);
        assert!(roles.iter().all(|role| role.term_months == 24));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let fault = |row: &str| parse_roles(&format!("{HEADER}\na,甲,x;y,24,2,1,month\n\n{row}\n"));
        assert_eq!(fault("").map(|roles| roles.len()), Ok(1));
        for (row, problem) in [
            ("b,乙,x,24,2,1", "a row has seven fields"),
            ("b,乙,x;,24,2,1,month", "a code, a name and each group are not empty"),
            ("b,乙,x,0,2,1,month", "a count is 1 or more"),
            ("b,乙,x,24,2,1,year", "a period is `month` or `quarter`"),
            ("a,乙,x,24,2,1,month", "a code is given once"),
        ] {
            assert_eq!(fault(row), Err(RolesFault { line: 4, problem }), "{row}");
        }
        assert_eq!(parse_roles("code").map_err(|fault| fault.line), Err(1));
    }
}
