//! Texts: whatever the service itself says to people it says in Chinese and in English. (Errors: src/error/tests.rs.)

use jingwei_grid::api::wire::area::{level_name, level_name_en};
use jingwei_grid::model::action::ActionKind;
use jingwei_grid::model::actor::Role;
use jingwei_grid::model::event::State;
use jingwei_proto::pool;

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

#[test]
fn the_names_of_levels_states_actions_and_roles_are_in_both() {
    let levels = (0..5).map(|depth| (level_name(depth), level_name_en(depth)));
    let states = State::all().map(|state| (state.chinese(), state.english()));
    let actions = ActionKind::all().map(|action| (action.chinese(), action.english()));
    let roles = Role::all().map(|role| (role.chinese(), role.code()));
    let all: Vec<_> = levels.chain(states).chain(actions).chain(roles).collect();
    assert!(all.len() > 60);
    for (zh, en) in all {
        assert!(is_chinese(zh), "{zh}");
        assert!(!en.is_empty() && !is_chinese(en), "{en}");
    }
}

/// What a district enters itself (`display_name` of a category, say) has the language that it was entered in; names that the
/// service makes have a twin.
#[test]
fn each_name_that_the_service_makes_has_its_english_twin() {
    let ours = pool().all_messages().filter(|m| m.package_name() == "jingwei.grid.v1");
    let mut twins = 0;
    for message in ours {
        for field in message.fields() {
            let made = matches!(
                field.name(),
                "action_display_name" | "level_name" | "kind_display_name" | "state_display_name"
            );
            if made {
                let twin = format!("{}_en", field.name());
                assert!(message.get_field_by_name(&twin).is_some(), "{} lacks {twin}", field.full_name());
                twins += 1;
            }
        }
    }
    assert!(twins >= 3);
}
