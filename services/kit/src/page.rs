//! Pages of a list: a keyset cursor in an opaque token that is bound to its request.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jingwei_proto::pool;
use prost::{Message, Name};
use prost_reflect::{DynamicMessage, Value};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::status::{Problem, invalid};

const BINDING: usize = 8;

/// Which page a request asks for. `C` is the sort key of a row, e.g. `(String, Uuid)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<C> {
    /// How many rows the page holds at most.
    pub size: usize,
    /// The sort key of the last row before the page; `None` for the first page.
    pub after: Option<C>,
    binding: [u8; BINDING],
}

impl<C: Serialize + DeserializeOwned> Page<C> {
    /// Reads the fields `page_size` (0 is `default`, more than `max` is `max`) and `page_token` of a List request.
    ///
    /// Errors: INVALID_ARGUMENT naming `page_size` where it is negative, or `page_token` where the token was not given
    /// out for a request with the same other fields.
    pub fn of<R: Message + Name>(request: &R, default: usize, max: usize) -> Result<Self, Problem> {
        let mut request = reflect(request);
        let size = match request.get_field_by_name("page_size").as_deref() {
            Some(Value::I32(size)) => *size,
            _ => 0,
        };
        let token = match request.get_field_by_name("page_token").as_deref() {
            Some(Value::String(token)) => token.clone(),
            _ => String::new(),
        };
        let size = match usize::try_from(size) {
            Err(_) => return Err(invalid("page_size", "page_size", "不能为负数", "must not be negative")),
            Ok(0) => default,
            Ok(size) => size.min(max),
        };
        request.clear_field_by_name("page_size");
        request.clear_field_by_name("page_token");
        let binding = binding(&request);
        let after = if token.is_empty() { None } else { Some(read(&token, binding)?) };
        Ok(Self { size, after, binding })
    }

    /// How many rows to ask the database for: one more than the page holds, to see whether another page follows.
    pub fn limit(&self) -> i64 {
        i64::try_from(self.size).unwrap_or(i64::MAX - 1) + 1
    }

    /// Cuts the rows that were read with [`Page::limit`] to the page and makes `next_page_token` of the last row's
    /// sort key; empty on the last page.
    pub fn cut<T>(&self, rows: &mut Vec<T>, key: impl FnOnce(&T) -> C) -> String {
        if rows.len() <= self.size {
            return String::new();
        }
        rows.truncate(self.size);
        rows.last().map(|row| self.token(&key(row))).unwrap_or_default()
    }

    fn token(&self, cursor: &C) -> String {
        let mut bytes = self.binding.to_vec();
        serde_json::to_writer(&mut bytes, cursor)
            .expect("a sort key has no maps and writing to memory cannot fail");
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }
}

fn read<C: DeserializeOwned>(token: &str, binding: [u8; BINDING]) -> Result<C, Problem> {
    let cursor = || {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        let (bound, cursor) = bytes.split_at_checked(BINDING)?;
        (bound == binding).then(|| serde_json::from_slice(cursor).ok()).flatten()
    };
    let zh = "不是本请求的分页标记：翻页时其他字段须与第一页相同";
    let en = "is not a token of this request: between pages the other fields must stay the same";
    cursor().ok_or_else(|| invalid("page_token", "page_token", zh, en))
}

/// The request as a dynamic message, whose fields can be read by name.
pub(crate) fn reflect<R: Message + Name>(request: &R) -> DynamicMessage {
    let descriptor = pool().get_message_by_name(&R::full_name()).expect("generated from the pool's files");
    DynamicMessage::decode(descriptor, request.encode_to_vec().as_slice())
        .expect("just encoded from the same type")
}

/// The start of a hash of the request's type and fields.
fn binding(request: &DynamicMessage) -> [u8; BINDING] {
    let mut hash = Sha256::new();
    hash.update(prost_reflect::ReflectMessage::descriptor(request).full_name());
    hash.update([0]);
    hash.update(request.encode_to_vec());
    *hash.finalize().first_chunk().expect("32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use jingwei_proto::grid::v1::ListAreasRequest;

    type Key = (String, i64);

    fn request(parent: &str, page_size: i32, page_token: &str) -> ListAreasRequest {
        ListAreasRequest {
            parent: parent.into(),
            page_size,
            page_token: page_token.into(),
            ..Default::default()
        }
    }

    fn page(request: &ListAreasRequest) -> Result<Page<Key>, Problem> {
        Page::of(request, 50, 200)
    }

    #[test]
    fn pages_follow_each_other() {
        let first = page(&request("districts/410182", 2, "")).expect("the first page");
        assert_eq!((first.size, first.limit(), first.after.as_ref()), (2, 3, None));
        let mut rows = vec![("a", 1), ("b", 2), ("c", 3)];
        let token = first.cut(&mut rows, |(s, n)| ((*s).to_owned(), *n));
        assert_eq!(rows, [("a", 1), ("b", 2)]);
        let second = page(&request("districts/410182", 5, &token)).expect("another size is fine");
        assert_eq!((second.size, second.after.clone()), (5, Some(("b".to_owned(), 2))));
        assert_eq!(second.cut(&mut vec![("c", 3)], |(s, n)| ((*s).to_owned(), *n)), "");
    }

    #[test]
    fn a_token_of_another_request_is_refused() {
        let first = page(&request("districts/410182", 1, "")).expect("the first page");
        let token = first.cut(&mut vec![1, 2], |n| (String::new(), *n));
        for wrong in [
            request("districts/410183", 1, &token),
            request("districts/410182", 1, &token[1..]),
            request("districts/410182", 1, "???"),
        ] {
            let problem = page(&wrong).expect_err("refused");
            assert_eq!(
                (problem.code, problem.violations[0].field.as_str()),
                (tonic::Code::InvalidArgument, "page_token")
            );
        }
    }

    #[test]
    fn sizes_have_a_default_and_a_cap() {
        assert_eq!(page(&request("districts/410182", 0, "")).expect("default").size, 50);
        assert_eq!(page(&request("districts/410182", 1000, "")).expect("capped").size, 200);
        assert_eq!(
            page(&request("districts/410182", -1, "")).expect_err("negative").violations[0].field,
            "page_size"
        );
    }
}
