//! `/openapi.json`, and `/docs`: the page that shows it.

use std::path::Path;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;
use tonic::body::Body;

use crate::{Gateway, problem};

/// The page with swagger-ui, and the plain list that stands in where swagger-ui is not installed.
const PAGE: &str = include_str!("../docs-page/index.html");
const START: &str = include_str!("../docs-page/start.js");
const PLAIN: &str = include_str!("../docs-page/plain.html");
const LIST: &str = include_str!("../docs-page/list.js");

/// The files of swagger-ui that the page needs.
const FILES: [(&str, &str); 2] = [
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
];

/// The page runs our scripts only; swagger-ui sets styles on elements, and shows pictures that are data.
const POLICY: &str =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

impl Gateway {
    /// The answer for a path of the documentation; `None` for other paths.
    pub(crate) async fn documentation(&self, method: &Method, path: &str) -> Option<Response<Body>> {
        let name = match path {
            "/" | "/docs" => "",
            "/openapi.json" => "openapi.json",
            _ => path.strip_prefix("/docs/")?,
        };
        if !matches!(*method, Method::GET | Method::HEAD) {
            let allowed = "GET, HEAD, OPTIONS";
            let mut response = problem::answer(&self.tables, problem::method_not_allowed(method, allowed));
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
            return Some(response);
        }
        Some(match name {
            "" if path != "/docs/" => to_the_page(),
            "" if self.settings.docs.join(FILES[1].0).is_file() => html(PAGE),
            "" => html(PLAIN),
            "openapi.json" if path == "/openapi.json" => content("application/json", self.openapi.clone()),
            "start.js" => content(FILES[1].1, Bytes::from_static(START.as_bytes())),
            "list.js" => content(FILES[1].1, Bytes::from_static(LIST.as_bytes())),
            _ => match file(&self.settings.docs, name).await {
                Some(response) => response,
                None => problem::answer(&self.tables, problem::no_route(path)),
            },
        })
    }
}

/// One of the files of swagger-ui.
async fn file(folder: &Path, name: &str) -> Option<Response<Body>> {
    let (name, kind) = FILES.iter().find(|(known, _)| *known == name)?;
    let bytes = tokio::fs::read(folder.join(name)).await.ok()?;
    Some(content(kind, bytes.into()))
}

fn to_the_page() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/docs/"));
    response
}

fn html(page: &'static str) -> Response<Body> {
    let mut response = content("text/html; charset=utf-8", Bytes::from_static(page.as_bytes()));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

fn content(kind: &'static str, bytes: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(bytes)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
