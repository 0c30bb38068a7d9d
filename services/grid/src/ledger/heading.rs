//! Headings: which column of a file is which column of a table, by their names in Chinese or English, in any order.

use super::{Refusal, Row};

/// A column of a table.
#[derive(Debug)]
pub struct Column {
    /// Its name in Chinese, as templates and exports have it.
    pub zh: &'static str,
    /// Its name in English.
    pub en: &'static str,
    /// The path of the field that it fills, in the resource.
    pub path: &'static str,
    /// Whether a file must have it.
    pub required: bool,
    /// Whether what stands in it is personal: never told back.
    pub private: bool,
    /// What a template has in it.
    pub example: &'static str,
}

impl Column {
    /// A column that files may lack.
    pub const fn new(zh: &'static str, en: &'static str, path: &'static str, example: &'static str) -> Self {
        Self { zh, en, path, required: false, private: false, example }
    }

    /// One that files must have.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// One that holds a name or a telephone number.
    #[must_use]
    pub const fn private(self) -> Self {
        Self { private: true, ..self }
    }
}

/// Where in a file each column of a table is.
#[derive(Debug, Clone)]
pub struct Heading {
    columns: &'static [Column],
    /// Of each column its place in the file.
    places: Vec<Option<usize>>,
    /// The names as the file has them.
    names: Vec<String>,
}

/// The most names that a refusal tells, and the most characters of each.
const TOLD: usize = 20;
const TOLD_CHARS: usize = 40;

impl Heading {
    /// Finds the columns in a header row.
    ///
    /// # Errors
    /// `Columns` with all that is wrong with it.
    pub fn read(columns: &'static [Column], header: &Row) -> Result<Self, Refusal> {
        let mut places = vec![None; columns.len()];
        let (mut unknown, mut twice) = (Vec::new(), Vec::new());
        for (place, name) in header.cells.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
            let name = plain(name);
            match columns.iter().position(|column| name == column.zh || name == column.en) {
                None if unknown.len() < TOLD => unknown.push(shown(place, &name)),
                None => {}
                Some(column) if places[column].is_some() => {
                    twice.push((columns[column].zh, columns[column].en));
                }
                Some(column) => places[column] = Some(place),
            }
        }
        let absent = columns.iter().zip(&places).filter(|(column, place)| column.required && place.is_none());
        let missing: Vec<_> = absent.map(|(column, _)| (column.zh, column.en)).collect();
        if unknown.is_empty() && missing.is_empty() && twice.is_empty() {
            return Ok(Self { columns, places, names: header.cells.clone() });
        }
        Err(Refusal::Columns { unknown, missing, twice })
    }

    /// What a row has in a column, by its English name; empty where the file does not have the column.
    ///
    /// # Panics
    /// The table has no such column: a fault of ours.
    pub fn cell<'a>(&self, row: &'a Row, en: &str) -> &'a str {
        let place = self.places[self.position(en)];
        place.and_then(|place| row.cells.get(place)).map_or("", String::as_str)
    }

    /// Whether the file has a column, by its English name.
    ///
    /// # Panics
    /// As `cell`.
    pub fn has(&self, en: &str) -> bool {
        self.places[self.position(en)].is_some()
    }

    fn position(&self, en: &str) -> usize {
        self.columns.iter().position(|column| column.en == en).expect("a column of the table")
    }

    /// The paths of the fields that the file's columns fill.
    pub fn paths(&self) -> Vec<String> {
        let there = self.columns.iter().zip(&self.places).filter(|(_, place)| place.is_some());
        there.map(|(column, _)| column.path.to_owned()).collect()
    }

    /// The column, with its place in the file, that a field belongs to: `department.duties[3]` to the one of `duties`. Of a
    /// column that the file does not have there is no place.
    pub fn of_path(&self, path: &str) -> Option<(&'static Column, Option<usize>)> {
        let path: String =
            path.split('.').map(|part| part.split('[').next().unwrap_or(part)).collect::<Vec<_>>().join(".");
        let fits = |column: &&'static Column| {
            path == column.path
                || path == column.en
                || path.ends_with(&format!(".{}", column.path))
                || path.starts_with(&format!("{}.", column.path))
                || path.contains(&format!(".{}.", column.path))
        };
        let column = self.columns.iter().find(fits)?;
        Some((column, self.places[self.position(column.en)]))
    }

    /// The column at a place in the file.
    pub fn of_place(&self, place: usize) -> Option<&'static Column> {
        self.places.iter().position(|p| *p == Some(place)).map(|column| &self.columns[column])
    }

    /// What the file calls the column at a place.
    pub fn name(&self, place: usize) -> &str {
        self.names.get(place).map_or("", String::as_str)
    }

    /// Whether a row has something where the file has no column.
    pub fn is_overfull(&self, row: &Row) -> bool {
        row.cells.iter().enumerate().any(|(place, cell)| !cell.is_empty() && self.name(place).is_empty())
    }
}

/// A name without what people add to it: the star of a column that must be filled, spaces, capitals.
fn plain(name: &str) -> String {
    name.trim_matches(|c: char| c == '*' || c == '＊' || c.is_whitespace()).to_lowercase().replace(' ', "_")
}

fn shown(place: usize, name: &str) -> String {
    if name.contains(|c: char| c.is_ascii_digit()) {
        return format!("#{}", place + 1);
    }
    name.chars().take(TOLD_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column::new("区域代码", "code", "name", "410182").required(),
        Column::new("名称", "display_name", "display_name", "荥阳市"),
    ];

    fn header(names: &[&str]) -> Row {
        Row { number: 1, cells: names.iter().map(|n| (*n).to_owned()).collect(), faults: Vec::new() }
    }

    #[test]
    fn columns_are_found_by_either_name() {
        let heading = Heading::read(COLUMNS, &header(&["Display Name", "", "区域代码*"])).unwrap();
        let row = header(&["荥阳市", "", "410182"]);
        assert_eq!((heading.cell(&row, "code"), heading.cell(&row, "display_name")), ("410182", "荥阳市"));
        assert_eq!(heading.of_path("area.name").map(|(c, place)| (c.zh, place)), Some(("区域代码", Some(2))));
        assert!(heading.is_overfull(&header(&["", "x"])) && !heading.is_overfull(&row));
    }

    #[test]
    fn all_that_is_wrong_with_a_header_is_told() {
        let refused =
            Heading::read(COLUMNS, &header(&["名称", "display_name", "电话", "13800000000"])).unwrap_err();
        let expected = Refusal::Columns {
            unknown: vec!["电话".into(), "#4".into()],
            missing: vec![("区域代码", "code")],
            twice: vec![("名称", "display_name")],
        };
        assert_eq!(refused, expected);
    }
}
