//! Two stories of 京城路街道, from the report in the grid to the closed event.
use super::*;
use crate::model::clock::Stage;

/// 繁荣街社区: street trees with pests drip on parking bays. Reported at level three on 22 May 2024, told to level two,
/// given on level by level to the garden centre, treated on 24 May.
#[test]
fn trees_with_pests_go_level_by_level_to_the_garden_centre() {
    let (grid, community) = ("410182002002001", "410182002002");
    let (chief, officer) = (actor(Role::GridChief, grid), actor(Role::Community, community));
    let street = actor(Role::Street, STREET);
    let garden = actor(Role::Department, "garden");
    let mut case = Case::report(grid, &actor(Role::GridWorker, grid), MORNING);
    case.wait(Duration::minutes(20));
    case.does(&chief, Action::Accept);
    case.does(&chief, Action::Escalate);
    case.wait(Duration::minutes(15));
    case.does(&officer, Action::Escalate);
    case.wait(Duration::minutes(10));
    case.does(&street, Action::Register);
    case.does(&street, Action::Dispatch { lead: department("garden"), co_handlers: vec![] });
    case.wait(Duration::hours(4));
    case.does(&garden, Action::SignFor);
    case.sweep();
    case.now = datetime!(2024-05-24 15:00 +8);
    case.does(&garden, SOLVED);
    case.wait(Duration::hours(1));
    case.sweep();
    case.does(&street, Action::Pass);

    case.verify();
    let way =
        ["REPORT", "ACCEPT", "ESCALATE", "ESCALATE", "REGISTER", "DISPATCH", "SIGN_FOR", "RESOLVE", "PASS"];
    assert_eq!(case.actions(), way, "no alarm on the way");
    let holders: Vec<_> =
        case.history.iter().filter_map(|entry| entry.details["holder"]["to"].as_str()).collect();
    assert_eq!(holders, ["areas/410182002002", "areas/410182002", "departments/garden", "areas/410182002"]);
    assert_eq!((case.event.state, case.event.outcome), (State::Closed, Some(Outcome::Solved)));
    assert_eq!(case.event.accepted_depth, Some(3), "accepted at level three");
    let handling = case.event.handling_clock.unwrap();
    assert_eq!(handling.clock.due, datetime!(2024-05-29 17:30 +8), "five working days after the 22nd");
    assert!(handling.ended() && case.event.times.closed < Some(handling.clock.due));
}

/// 平安社区: an estate without property management loses its water over arrears. The residents agree on one meter per
/// household, the water company estimates, the works take weeks with the clock standing still, and it is closed.
#[test]
fn water_comes_back_after_deliberation_and_works() {
    let (grid, community) = ("410182002008001", "410182002008");
    let (chief, officer) = (actor(Role::GridChief, grid), actor(Role::Community, community));
    let street = actor(Role::Street, STREET);
    let water = actor(Role::Department, "water");
    let mut case = Case::report(grid, &actor(Role::GridWorker, grid), MORNING);
    case.does(&chief, Action::Accept);
    case.does(&chief, Action::Escalate);
    case.does(&officer, Action::Escalate);
    case.does(&street, Action::Register);
    let dispatch = Action::Dispatch { lead: area(community), co_handlers: vec![department("water")] };
    case.does(&street, dispatch);
    case.does(&officer, Action::SignFor);
    case.wait(Duration::days(1));
    case.does(&officer, Action::Comment); // 议事协商：一户一表
    case.does(&water, Action::CoHandle); // 水务公司报价
    let resume_at = MORNING + Duration::days(30);
    case.does(&officer, Action::RequestSuspension { resume_at });
    case.does(&street, Action::ApproveSuspension);
    case.wait(Duration::days(15));
    case.sweep();
    assert_eq!(case.event.alarm(), Stage::InTime, "the clock stands still during the works");
    case.now = resume_at;
    case.sweep();
    case.does(&officer, SOLVED);
    case.does(&street, Action::Pass);

    case.verify();
    let way = [
        "REPORT",
        "ACCEPT",
        "ESCALATE",
        "ESCALATE",
        "REGISTER",
        "DISPATCH",
        "SIGN_FOR",
        "COMMENT",
        "CO_HANDLE",
        "REQUEST_SUSPENSION",
        "APPROVE_SUSPENSION",
        "RESUME",
        "RESOLVE",
        "PASS",
    ];
    assert_eq!(case.actions(), way);
    let resumed = &case.history[11];
    assert_eq!((resumed.subject.as_str(), resumed.role), ("system", Role::System));
    assert!(resumed.details["handling_due"]["to"].is_string(), "the deadline moved, and it is on record");
    assert_eq!(case.event.state, State::Closed);
}
