//! All routes as a tree of path segments: which one a method and a path mean.

use std::collections::HashMap;

use http::Method;
use prost_reflect::DescriptorPool;

use super::{
    route::{Captures, Route, RouteError, rules},
    tables::Tables,
    template::{Segment, Template},
};

/// What a method and a path lead to.
pub enum Match<'r, 'p> {
    /// A route.
    Found {
        /// The route.
        route: &'r Route,
        /// What its variables hold.
        captures: Captures<'p>,
    },
    /// The path exists, with other methods.
    WrongMethod {
        /// These.
        allowed: Vec<Method>,
    },
    /// No such path.
    NotFound,
}

/// All routes.
pub struct Routes {
    routes: Vec<Route>,
    /// A tree of segments, its root first.
    nodes: Vec<Node>,
}

/// A point in the tree: what has been read of a path.
#[derive(Default)]
struct Node {
    literals: HashMap<String, usize>,
    one: Option<usize>,
    /// Routes that end here.
    ends: Vec<usize>,
    /// Routes that take all that follows here.
    rests: Vec<usize>,
}

impl Routes {
    /// The routes of these services (by full name), with their additional bindings. An RPC without a rule has none.
    /// Refused: a service that is not there, a rule that does not fit its messages, and two routes that a request
    /// could mean both of, unless one is the narrower.
    pub fn new(tables: &Tables, pool: &DescriptorPool, services: &[&str]) -> Result<Routes, RouteError> {
        let mut routes = Vec::new();
        for name in services {
            let service = pool
                .get_service_by_name(name)
                .ok_or_else(|| RouteError { rpc: (*name).to_owned(), what: "no such service".to_owned() })?;
            for method in service.methods() {
                let refuse = |what| RouteError { rpc: method.full_name().to_owned(), what };
                for rule in rules(pool, &method) {
                    routes.push(Route::new(tables, &method, &rule).map_err(refuse)?);
                }
            }
        }
        refuse_ambiguous(&routes)?;
        let mut nodes = vec![Node::default()];
        for (index, route) in routes.iter().enumerate() {
            plant(&mut nodes, &route.template, index);
        }
        Ok(Routes { routes, nodes })
    }

    /// All of them, in the order of the .proto files.
    pub fn all(&self) -> &[Route] {
        &self.routes
    }

    /// The route of a method and a path (without query). After the last `/` a `:` begins a verb; in a name it is
    /// written `%3A`.
    pub fn find<'p>(&self, method: &Method, path: &'p str) -> Match<'_, 'p> {
        let Some(inner) = path.strip_prefix('/') else { return Match::NotFound };
        let last = inner.rfind('/').map_or(0, |at| at + 1);
        let (inner, verb) = match inner[last..].find(':') {
            Some(at) => (&inner[..last + at], Some(&inner[last + at + 1..])),
            None => (inner, None),
        };
        let segments: Vec<&str> = inner.split('/').collect();
        let mut reached = Vec::new();
        self.reach(0, &segments, &mut reached);
        let mut allowed = Vec::new();
        for route in reached.into_iter().map(|index| &self.routes[index]) {
            if route.template.verb.as_deref() != verb {
                continue;
            }
            if route.method == *method {
                return Match::Found { route, captures: route.captures(inner, &segments) };
            }
            if !allowed.contains(&route.method) {
                allowed.push(route.method.clone());
            }
        }
        if allowed.is_empty() { Match::NotFound } else { Match::WrongMethod { allowed } }
    }

    /// Every route whose segments fit, the narrowest first.
    fn reach(&self, node: usize, segments: &[&str], reached: &mut Vec<usize>) {
        let node = &self.nodes[node];
        match segments {
            [] => reached.extend(&node.ends),
            [segment, after @ ..] => {
                for next in node
                    .literals
                    .get(*segment)
                    .into_iter()
                    .chain(node.one.iter().filter(|_| !segment.is_empty()))
                {
                    self.reach(*next, after, reached);
                }
            }
        }
        reached.extend(&node.rests);
    }
}

fn refuse_ambiguous(routes: &[Route]) -> Result<(), RouteError> {
    for (at, route) in routes.iter().enumerate() {
        let clash =
            |other: &&Route| other.method == route.method && other.template.ambiguous_with(&route.template);
        if let Some(other) = routes[..at].iter().find(clash) {
            let what = format!(
                "{} {} could also be {} of {}",
                route.method, route.template.text, other.template.text, other.rpc
            );
            return Err(RouteError { rpc: route.rpc.clone(), what });
        }
    }
    Ok(())
}

fn plant(nodes: &mut Vec<Node>, template: &Template, index: usize) {
    let mut at = 0;
    for segment in &template.segments {
        let fresh = nodes.len();
        let next = match segment {
            Segment::Literal(text) => *nodes[at].literals.entry(text.clone()).or_insert(fresh),
            Segment::One => *nodes[at].one.get_or_insert(fresh),
            Segment::Rest => return nodes[at].rests.push(index),
        };
        if next == fresh {
            nodes.push(Node::default());
        }
        at = next;
    }
    nodes[at].ends.push(index);
}
