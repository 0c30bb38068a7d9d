//! Prints the table as docs/item-state-table.md, Chinese first, and fails where the file is not as printed.
//! `UPDATE_STATE_TABLE=1 cargo test -p jingwei-business-environment-monitor state_table` writes it.

use super::*;

/// A text in Chinese and in English.
type Text = (&'static str, &'static str);

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/item-state-table.md");

/// What else `apply` checks or changes, told for people.
fn rule(action: ActionKind) -> Text {
    match action {
        Collect => (
            "须在聘；为竞争对手工作的须先披露；可注明来自本人的走访或体验",
            "takes an active appointment; who works for a competitor discloses it; may come from an own visit or experience",
        ),
        Triage | Note => ("可附说明", "something may be said with it"),
        Reject => ("须填事由", "with a reason"),
        Merge => (
            "目标须为已初审、已留存或已转问题；已合并到它的信息随之合并",
            "into what is triaged, noted or promoted; what is merged into it goes along",
        ),
        Unmerge => ("须填事由；合并到它的信息仍随它", "with a reason; what is merged into it stays with it"),
        Promote => (
            "以采集人名义提交新问题，或关联已有问题",
            "a new issue in the name of the collector, or one that exists",
        ),
        Link => ("一条信息最多关联五十个问题", "fifty issues of one item at most"),
        Unlink => ("须填事由；至少保留一个问题", "with a reason; one issue remains"),
    }
}

/// A language: its place in a `Text`.
#[derive(Clone, Copy)]
struct Printer(usize);

impl Printer {
    fn pick<T>(self, (chinese, english): (T, T)) -> T {
        if self.0 == 0 { chinese } else { english }
    }

    fn state(self, state: State) -> String {
        self.pick((state.chinese().to_owned(), format!("`{}`", state.code())))
    }

    fn row(self, arc: &Arc) -> String {
        let action = self.pick((arc.action.chinese().to_owned(), format!("`{}`", arc.action.code())));
        let from: Vec<String> = arc.from.iter().map(|state| self.state(*state)).collect();
        let from = if from.is_empty() { "—".to_owned() } else { from.join(self.pick(("、", ", "))) };
        let who = if arc.who == Role::Monitor {
            ("监督员", "a monitor")
        } else {
            ("营商环境办", "the office")
        };
        let (to, rule) = (self.state(arc.to), self.pick(rule(arc.action)));
        format!("| {action} | {from} | {to} | {} | {rule} |\n", self.pick(who))
    }

    fn table(self) -> String {
        let head = self.pick((
            "| 动作 | 起始状态 | 到达状态 | 谁可以 | 其他规则 |\n",
            "| Action | From | To | Who | Further rules |\n",
        ));
        let rows: String = ARCS.iter().map(|arc| self.row(arc)).collect();
        format!("{head}|---|---|---|---|---|\n{rows}")
    }
}

fn print() -> String {
    let states: String = State::all()
        .map(|state| format!("| {} | `{}` | {} |\n", state.chinese(), state.code(), state.english()))
        .collect();
    format!(
        "# 市场信息状态表 · The state table of market information\n\n\
         由程序所用的同一张表（services/business-environment-monitor/src/model/info_item/arcs.rs）打印，请勿手工修改。\n\
         Printed from the table that the code runs on; do not edit by hand.\n\n\
         ## 状态 · States\n\n| 中文 | Code | English |\n|---|---|---|\n{states}\n\
         ## 动作\n\n\
         采集人不得以任何身份处置本人采集的信息。\n\n{}\n\
         ## Actions\n\n\
         Who collected an item does not decide on it, in whatever role.\n\n{}",
        Printer(0).table(),
        Printer(1).table(),
    )
}

#[test]
fn the_printed_state_table_is_the_one_in_the_docs() {
    let printed = print();
    if std::env::var_os("UPDATE_STATE_TABLE").is_some() {
        std::fs::write(PATH, &printed).unwrap();
    }
    let kept = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(kept == printed, "docs/item-state-table.md is not as printed: run with UPDATE_STATE_TABLE=1");
}
