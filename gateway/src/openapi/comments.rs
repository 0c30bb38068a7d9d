//! The comments of the .proto files, found by element.

use std::collections::HashMap;

use jingwei_proto::prost_reflect::{DescriptorPool, FileDescriptor};

/// All comments, by file and path (see `SourceCodeInfo` in descriptor.proto).
pub(super) struct Comments(HashMap<String, HashMap<Vec<i32>, String>>);

impl Comments {
    pub(super) fn of(pool: &DescriptorPool) -> Self {
        Self(pool.files().map(|file| (file.name().to_owned(), of_file(&file))).collect())
    }

    /// The comment before an element; empty where it has none.
    pub(super) fn get(&self, file: &FileDescriptor, path: &[i32]) -> &str {
        self.0.get(file.name()).and_then(|file| file.get(path)).map_or("", String::as_str)
    }
}

fn of_file(file: &FileDescriptor) -> HashMap<Vec<i32>, String> {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let locations = info.map(|info| info.location.as_slice()).unwrap_or_default();
    let commented = locations.iter().filter(|location| location.leading_comments.is_some());
    commented.map(|location| (location.path.clone(), joined(location.leading_comments()))).collect()
}

/// The comment without the space that follows each `//`. An empty line is a paragraph.
fn joined(comment: &str) -> String {
    comment.lines().map(str::trim).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// The first sentence, and the rest.
pub(super) fn split(comment: &str) -> (String, &str) {
    let end = comment
        .match_indices(['.', '\n'])
        .find(|(at, _)| matches!(comment[at + 1..].chars().next(), None | Some('\n' | ' ')));
    let end = end.map_or(comment.len(), |(at, _)| at);
    let (first, rest) = comment.split_at(end);
    (first.replace('\n', " "), rest.trim_start_matches('.').trim_start())
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn the_first_sentence_is_the_summary() {
        assert_eq!(split("One event.\nErrors: NOT_FOUND."), ("One event".to_owned(), "Errors: NOT_FOUND."));
        assert_eq!(
            split("Reports (上报) e.g. a tree. More"),
            ("Reports (上报) e.g".to_owned(), "a tree. More")
        );
        assert_eq!((split("No end"), split("")), (("No end".to_owned(), ""), (String::new(), "")));
    }
}
