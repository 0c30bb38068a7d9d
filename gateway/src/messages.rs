//! The gRPC messages of an answer's body, one after the other.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt;
use tonic::{Code, Status, body::Body};

/// The flag and the length before a gRPC message.
pub(crate) const PREFIX: usize = 5;

/// The largest message of a stream, in bytes.
const LARGEST: usize = 64 << 20;

/// What is read of a body: never more than a message and what came with its end.
pub(crate) struct Messages {
    /// Gone once it has ended.
    body: Option<Body>,
    buffer: BytesMut,
}

impl Messages {
    /// Of this body.
    pub(crate) fn new(body: Body) -> Self {
        Self { body: Some(body), buffer: BytesMut::new() }
    }

    /// The next message, without its prefix; `None` at a good end, and after an error. Nothing is lost where the future
    /// is dropped.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        let next = self.read().await;
        if next.is_err() {
            self.end();
        }
        next
    }

    /// Reads no further; the backend is told.
    pub(crate) fn end(&mut self) {
        self.body = None;
        self.buffer.clear();
    }

    async fn read(&mut self) -> Result<Option<Bytes>, Status> {
        loop {
            if let Some(message) = self.whole()? {
                return Ok(Some(message));
            }
            let Some(body) = &mut self.body else {
                return if self.buffer.is_empty() { Ok(None) } else { Err(broken()) };
            };
            match body.frame().await.transpose()?.map(http_body::Frame::into_data) {
                Some(Ok(data)) => self.buffer.extend_from_slice(&data),
                Some(Err(frame)) => {
                    self.body = None;
                    frame.trailers_ref().and_then(failure).map_or(Ok(()), Err)?;
                }
                None => self.body = None,
            }
        }
    }

    /// Takes a whole message out of the buffer.
    fn whole(&mut self) -> Result<Option<Bytes>, Status> {
        let Some((prefix, rest)) = self.buffer.split_first_chunk::<PREFIX>() else { return Ok(None) };
        let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
        if prefix[0] != 0 || length > LARGEST {
            return Err(broken());
        }
        if rest.len() < length {
            return Ok(None);
        }
        Ok(Some(self.buffer.split_to(PREFIX + length).freeze().split_off(PREFIX)))
    }
}

/// The error that headers or trailers tell of.
pub(crate) fn failure(headers: &HeaderMap) -> Option<Status> {
    Status::from_header_map(headers).filter(|status| status.code() != Code::Ok)
}

fn broken() -> Status {
    Status::internal("the service's answer is not a stream of gRPC messages")
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, stream};
    use http_body::Frame;
    use http_body_util::StreamBody;
    use proptest::prelude::*;

    use super::*;
    use crate::json::framed;

    /// The messages of a body that comes in these pieces, and the error at its end.
    fn read(pieces: Vec<Bytes>, trailers: Option<Status>) -> (Vec<Bytes>, Option<Code>) {
        let trailers = trailers.map(|status| {
            let mut trailers = HeaderMap::new();
            status.add_header(&mut trailers).expect("a status");
            Frame::trailers(trailers)
        });
        let frames = pieces.into_iter().map(Frame::data).chain(trailers).map(Ok::<_, Status>);
        let mut messages =
            Messages::new(Body::new(StreamBody::new(stream::iter(frames.collect::<Vec<_>>()))));
        let mut found = Vec::new();
        loop {
            match messages.next().now_or_never().expect("everything is there") {
                Ok(Some(message)) => found.push(message),
                Ok(None) => return (found, None),
                Err(status) => {
                    let after = messages.next().now_or_never().expect("at once").expect("an end");
                    assert_eq!(after, None);
                    return (found, Some(status.code()));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn messages_are_found_however_the_body_is_cut(
            sent in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8),
            cuts in prop::collection::vec(1_usize..50, 1..20),
            fails in any::<bool>(),
        ) {
            let mut wire: Bytes = sent.iter().flat_map(|message| framed(message)).collect();
            let mut cuts = cuts.into_iter().cycle();
            let mut pieces = Vec::new();
            while !wire.is_empty() {
                pieces.push(wire.split_to(wire.len().min(cuts.next().expect("a cycle"))));
            }
            let (found, code) = read(pieces, Some(if fails { Status::data_loss("x") } else { Status::new(Code::Ok, "") }));
            prop_assert_eq!(found, sent);
            prop_assert_eq!(code, fails.then_some(Code::DataLoss));
        }
    }

    #[test]
    fn what_breaks_off_or_is_no_message_is_an_error() {
        let whole = framed(b"abc");
        let (found, code) = read(vec![whole.clone(), whole.slice(..4)], Some(Status::new(Code::Ok, "")));
        assert_eq!(
            (found, code),
            (vec![Bytes::from_static(b"abc")], Some(Code::Internal)),
            "within a prefix"
        );
        assert_eq!(read(vec![whole.slice(..7)], None).1, Some(Code::Internal), "within a message");
        assert_eq!(
            read(vec![Bytes::from_static(b"\x01\0\0\0\0")], None).1,
            Some(Code::Internal),
            "compressed"
        );
        assert_eq!(
            read(vec![Bytes::from_static(b"\0\xff\0\0\0")], None).1,
            Some(Code::Internal),
            "too large"
        );
    }
}
