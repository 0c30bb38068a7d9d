//! A gRPC channel that carries a token.

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::Error;

/// A channel that carries a token.
pub type Session = InterceptedService<Channel, Bearer>;

/// Adds a token to every call.
#[derive(Debug, Clone)]
pub struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// A session over a channel.
///
/// # Errors
/// The token is no header.
pub fn session(channel: &Channel, token: &str) -> Result<Session, Error> {
    Ok(InterceptedService::new(channel.clone(), Bearer(format!("Bearer {token}").parse()?)))
}
