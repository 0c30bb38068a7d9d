//! Prints the table as docs/issue-state-table.md, Chinese first, and fails where the file is not as printed.
//! `UPDATE_STATE_TABLE=1 cargo test -p jingwei-business-environment-monitor state_table` writes it.

use std::collections::BTreeSet;

use super::*;

/// A text in Chinese and in English.
type Text = (&'static str, &'static str);

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/issue-state-table.md");

fn person(role: Role, relation: Relation) -> Text {
    match (role, relation) {
        (Role::Monitor, _) => ("提交问题的监督员", "the monitor who submitted it"),
        (Role::Enterprise, _) => ("提交问题的企业人员", "the enterprise's person who submitted it"),
        (Role::Office, _) => ("营商环境办", "the office"),
        (Role::Department, _) => ("本轮承办部门", "the round's department"),
        (Role::Liaison, _) => ("联络员", "liaison officer"),
        (Role::Receiver, _) => ("移送接收人", "receiver of transfers"),
        (Role::System, _) => ("系统自动", "automatic"),
    }
}

/// What else `apply` checks or changes, told for people.
fn rule(action: ActionKind) -> Text {
    match action {
        Submit => (
            "涉及竞争对手的须先披露；登记和受理自此计时",
            "who works for a competitor discloses it; the clocks of registration and decision start",
        ),
        Register => ("受理时限仍自提交起算", "the decision's time still counts from the submission"),
        Accept => ("分类自此计时", "the clock of the class starts"),
        DeemAccepted => (
            "自提交起第三个工作日结束仍未决定的，视为受理；此后不得再作决定",
            "at the end of the third working day after the submission; nobody can decide otherwise then",
        ),
        ProposeRefusal => ("须填事由；不停止计时", "with a reason; stops no clock"),
        Refuse => ("须由提出人以外的人批准", "approved by somebody else than who proposed it"),
        Transfer => (
            "由两人签署的移送函触发；移送内容密封，时间线只记接收机关类别；被退回的可再次移送",
            "by a letter that two people signed; its content is sealed, the timeline has the kind of authority only; anew once it was returned",
        ),
        Classify => (
            "甲类一个月、乙类十五个工作日、丙类五个工作日，自受理起算",
            "A one month, B fifteen working days, C five, from the acceptance",
        ),
        Assign => ("可改派；时限不变", "can be assigned anew; the deadline stays"),
        Start => ("时限不变", "the deadline stays"),
        Ask => (
            "须填事由；延期在时限届满前申请，每轮一次，有上限；暂停须写明恢复时间",
            "with a reason; more time before the deadline, once in a round, bounded; a pause until a date",
        ),
        Grant => (
            "同意延期的顺延时限，同意暂停的进入暂停",
            "the deadline moves by the extension, or the clock stands still",
        ),
        Deny => ("须填事由", "with a reason"),
        Resume => (
            "到期由系统自动恢复；时限只按暂停期间的工作时间顺延，暂停前已超时的不变",
            "automatic on the date; the deadline moves by the pause's working time alone, one that had passed before stays",
        ),
        Reply => (
            "无待批准的申请；核实计时开始，办理计时继续",
            "no request pending; the clock of verification starts, that of handling runs on",
        ),
        Verify => (
            "企业提交人核实或回访核实；不得由答复人本人核实",
            "by the enterprise that submitted it or a call-back; not by who replied",
        ),
        Close => ("核实为已解决", "verified as solved"),
        Return => ("须填事由；核实为未解决", "with a reason; verified as not solved"),
        Reopen => (
            "须填事由；开始新一轮，保留以前各轮的时限",
            "with a reason; a new round, the clocks of those before are kept",
        ),
        Terminate => ("须填事由", "with a reason"),
        Rate => ("一至五级，每轮一次", "1 to 5, once in a round"),
        CallBack => ("一、二级评价全部回访，重开后仍须回访", "each rating of 1 or 2, even after a reopening"),
        Warn => ("已用时限的80%为黄灯，届满为红灯", "amber at 80 % of the time, red at the deadline"),
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

    fn states(self, states: &[State]) -> String {
        let names: Vec<String> = states.iter().map(|state| self.state(*state)).collect();
        if names.is_empty() { "—".to_owned() } else { names.join(self.pick(("、", ", "))) }
    }

    fn next(self, next: Next) -> String {
        match next {
            To(state) => self.state(state),
            Keep => self.pick(("不变", "unchanged")).to_owned(),
            Next::KeepOrPause => self.pick(("不变，或暂停", "unchanged, or `PAUSED`")).to_owned(),
        }
    }

    fn row(self, arc: &Arc) -> String {
        let action = arc.action;
        let action_name = self.pick((action.chinese().to_owned(), format!("`{}`", action.code())));
        let who: Vec<_> =
            arc.who.iter().map(|(role, relation)| self.pick(person(*role, *relation))).collect();
        let who = who.join(self.pick(("；", "; ")));
        let apart = if arc.apart { self.pick(("是", "yes")) } else { "—" };
        let rule = self.pick(rule(action));
        format!(
            "| {action_name} | {} | {} | {who} | {apart} | {rule} |\n",
            self.states(arc.from),
            self.next(arc.to)
        )
    }

    fn table(self) -> String {
        let head = self.pick((
            "| 动作 | 起始状态 | 到达状态 | 谁可以 | 监督员回避 | 其他规则 |\n",
            "| Action | From | To | Who | Monitor apart | Further rules |\n",
        ));
        let rows: String = ARCS.iter().map(|arc| self.row(arc)).collect();
        format!("{head}|---|---|---|---|---|---|\n{rows}")
    }
}

fn print() -> String {
    let states: String = State::all()
        .map(|state| format!("| {} | `{}` | {} |\n", state.chinese(), state.code(), state.english()))
        .collect();
    format!(
        "# 问题状态表 · The issue's state table\n\n\
         由程序所用的同一张表（services/business-environment-monitor/src/model/issue/arcs.rs）打印，请勿手工修改。\n\
         Printed from the table that the code runs on; do not edit by hand.\n\n\
         ## 状态 · States\n\n| 中文 | Code | English |\n|---|---|---|\n{states}\n\
         ## 动作\n\n\
         监督员回避：提交问题的监督员无论以何种身份都不得为之。各项时限为默认值，可按区县设定。\n\n{}\n\
         ## Actions\n\n\
         Monitor apart: a monitor does not do this to an issue they submitted, in whatever role. Limits are the defaults; a \
         district can set its own.\n\n{}",
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
    assert!(kept == printed, "docs/issue-state-table.md is not as printed: run with UPDATE_STATE_TABLE=1");
}

#[test]
fn no_row_names_a_state_twice() {
    for arc in &ARCS {
        let from: BTreeSet<&str> = arc.from.iter().map(|state| state.code()).collect();
        assert_eq!(from.len(), arc.from.len(), "{:?}", arc.action);
    }
}
