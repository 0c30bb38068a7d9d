//! Routes: which request means which RPC, and the message it makes.

use http::Method;

use super::{
    super::{Match, RequestError, Routes, Segment},
    *,
};

static ROUTES: LazyLock<Routes> = LazyLock::new(|| Routes::new(&TABLES, &POOL, &["test.Things"]).unwrap());

/// The RPC and the request message, as JSON, of an HTTP request.
fn request(method: &Method, target: &str, body: &str) -> Result<(String, String), RequestError> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let Match::Found { route, captures } = ROUTES.find(method, path) else {
        panic!("{method} {path} is no route")
    };
    let wire = route.request(&TABLES, &captures, query, body.as_bytes())?;
    let mut json = Vec::new();
    TABLES.to_json(route.input, &wire, &mut json).unwrap();
    Ok((route.rpc.trim_start_matches("/test.Things/").to_owned(), String::from_utf8(json).unwrap()))
}

fn get(target: &str) -> (String, String) {
    request(&Method::GET, target, "").unwrap()
}

fn wrong(method: &Method, target: &str, body: &str) -> Vec<String> {
    let error = request(method, target, body).unwrap_err();
    error.violations.iter().map(|v| format!("{}: {}", v.field, v.rule)).collect()
}

fn allowed(method: &Method, path: &str) -> Option<Vec<Method>> {
    match ROUTES.find(method, path) {
        Match::Found { route, .. } => panic!("{path} is {}", route.rpc),
        Match::WrongMethod { allowed } => Some(allowed),
        Match::NotFound => None,
    }
}

#[test]
fn paths_bind_fields() {
    assert_eq!(
        get("/v1/districts/1/things/2"),
        ("Get".into(), r#"{"parent":"districts/1/things/2"}"#.into())
    );
    assert_eq!(
        get("/v1/things/a%2Fb%20%E7%BB%8F"),
        ("Get".into(), r#"{"filter":{"aString":"a/b 经"}}"#.into())
    );
    assert_eq!(get("/v1/districts/a%2Fb%3A/things/2").1, r#"{"parent":"districts/a%2Fb:/things/2"}"#);
    assert_eq!(get("/v1/numbers/7").1, r#"{"pageSize":7}"#);
    assert_eq!(wrong(&Method::GET, "/v1/numbers/x", ""), ["page_size: path.value"]);
    assert_eq!(wrong(&Method::GET, "/v1/things/%ff", ""), ["filter.a_string: path.value"]);
}

#[test]
fn the_narrower_route_wins() {
    assert_eq!(get("/v1/districts/1/things").0, "List");
    assert_eq!(get("/v1/districts/-/things").0, "Special");
    assert_eq!(request(&Method::POST, "/v1/districts/-/things", "").unwrap().0, "Create");
    let report = Method::from_bytes(b"REPORT").unwrap();
    assert_eq!(request(&report, "/v1/files/a/b%2Fc", "").unwrap().1, r#"{"parent":"a/b%2Fc"}"#);
    assert_eq!(request(&report, "/v1/files", "").unwrap().1, "{}");
}

#[test]
fn what_leads_nowhere() {
    assert_eq!(allowed(&Method::PUT, "/v1/districts/1/things"), Some(vec![Method::GET, Method::POST]));
    assert_eq!(allowed(&Method::GET, "/v1/districts/1/things/2:act"), Some(vec![Method::POST]));
    for path in [
        "/",
        "",
        "v1/numbers/7",
        "/v1/numbers/",
        "/v1/numbers/7/",
        "/v1//things",
        "/v1/districts//things",
        "/v1/numbers/7:x",
        "/v1/numbers/7:",
    ] {
        assert_eq!(allowed(&Method::GET, path), None, "{path}");
    }
}

#[test]
fn queries_bind_what_is_left() {
    let target = "/v1/districts/1/things?pageSize=3&colors=COLOR_RED&colors=-7&filter.an_int64=5&filter.child.time=2026-11-23T08:00:00%2B08:00\
                  &filter.length=1.5s&filter.mask=displayName,place&filter.aBool=true&token=-_8&filter.wrappedLong=9&filter.aString=a+b%26";
    let expected = concat!(
        r#"{"pageSize":3,"colors":["COLOR_RED","COLOR_NEGATIVE"],"filter":{"anInt64":"5","child":{"time":"2026-11-23T00:00:00Z"},"#,
        r#""length":"1.500s","mask":"displayName,place","aBool":true,"wrappedLong":"9","aString":"a b&"},"token":"+/8=","parent":"districts/1"}"#
    );
    let (_, json) = get(target);
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(value(&json), value(expected));
}

#[test]
fn wrong_parameters_are_told_by_name() {
    let target = "/v1/districts/1/things?pagesize=3&filter=x&filter.nope=1&pageSize=x&pageSize=2&parent=y&filter.labels=a&filter.aString.b=1\
                  &filter.time=now&filter.pickNumber=1&filter.pickText=a&token=%zz&filter.struct.fields=1";
    let expected = [
        "pagesize: query.unknown_field",
        "filter: query.unknown_field",
        "filter.nope: query.unknown_field",
        "page_size: query.value",
        "page_size: query.duplicate",
        "parent: query.unknown_field",
        "filter.labels: query.unknown_field",
        "filter.aString.b: query.unknown_field",
        "filter.time: query.value",
        "filter.pick_text: query.duplicate",
        "token: query.syntax",
        "filter.struct.fields: query.unknown_field",
    ];
    assert_eq!(wrong(&Method::GET, target, ""), expected);
}

#[test]
fn bodies_are_all_or_a_field_or_nothing() {
    let (_, json) = request(&Method::POST, "/v1/districts/1/things?pageSize=2", r#"{"anInt32":1}"#).unwrap();
    assert_eq!(json, r#"{"filter":{"anInt32":1},"pageSize":2,"parent":"districts/1"}"#);
    assert_eq!(
        wrong(&Method::POST, "/v1/districts/1/things?filter.anInt32=2", r#"{"nope":1}"#),
        ["filter.nope: json.unknown_field", "filter.anInt32: query.unknown_field"]
    );
    let (_, json) =
        request(&Method::POST, "/v1/districts/1/things/2:act", r#"{"pageSize":1,"parent":"other"}"#).unwrap();
    assert_eq!(json, r#"{"parent":"districts/1/things/2","pageSize":1}"#);
    assert_eq!(
        request(&Method::POST, "/v1/districts/1/things/2:act", "").unwrap().1,
        r#"{"parent":"districts/1/things/2"}"#
    );
    assert_eq!(
        wrong(&Method::POST, "/v1/districts/1/things/2:act?pageSize=1", "{}"),
        ["pageSize: query.unknown_field"]
    );
    assert_eq!(wrong(&Method::GET, "/v1/numbers/1", "{}"), [": body.unexpected"]);
}

#[test]
fn an_answer_may_be_one_field() {
    let Match::Found { route, .. } = ROUTES.find(&Method::POST, "/v1/districts/1/things") else {
        panic!("no route")
    };
    let answer = |wire: &[u8]| {
        let mut json = Vec::new();
        route.response(&TABLES, wire, &mut json).unwrap();
        String::from_utf8(json).unwrap()
    };
    let wire = wire(r#"{"anInt32":1,"children":[{"anInt32":2},{}]}"#).unwrap();
    assert_eq!(answer(&wire), r#"[{"anInt32":2},{}]"#);
    assert_eq!(answer(&[]), "[]");
}

#[test]
fn bad_routes_do_not_start() {
    let refused = |service: &str| Routes::new(&TABLES, &POOL, &[service]).err().map(|e| e.to_string());
    assert_eq!(
        refused("test.Twice").unwrap(),
        "/test.Twice/Two: GET /v1/y/{parent} could also be /v1/{parent}/x of /test.Twice/One"
    );
    assert_eq!(
        refused("test.Wrong").unwrap(),
        "test.Wrong.One: {colors} is no single scalar field of test.ListRequest"
    );
    assert_eq!(refused("test.Nobody").unwrap(), "test.Nobody: no such service");
    assert!(Routes::new(&TABLES, &POOL, &["test.Things", "test.Things"]).is_err());
}

#[test]
fn every_route_of_the_services_is_found_by_its_own_path() {
    let pool = jingwei_proto::pool();
    let tables = Tables::new(pool);
    let services: Vec<_> = pool.services().map(|s| s.full_name().to_owned()).collect();
    let names: Vec<_> = services.iter().map(String::as_str).collect();
    let routes = Routes::new(&tables, pool, &names).unwrap();
    assert!(routes.all().len() > 50);
    for route in routes.all() {
        let segment = |segment: &Segment| match segment {
            Segment::Literal(text) => format!("/{text}"),
            Segment::One | Segment::Rest => "/410182".to_owned(),
        };
        let verb = route.template.verb.iter().map(|verb| format!(":{verb}"));
        let path: String = route.template.segments.iter().map(segment).chain(verb).collect();
        let Match::Found { route: found, captures } = routes.find(&route.method, &path) else {
            panic!("{path}")
        };
        assert_eq!(found.rpc, route.rpc);
        found.request(&tables, &captures, "", b"").unwrap();
    }
}
