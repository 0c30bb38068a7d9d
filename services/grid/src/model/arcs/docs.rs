//! Prints the table as docs/state-table.md, Chinese first, and fails where the file is not as printed.
//! `UPDATE_STATE_TABLE=1 cargo test -p jingwei-grid state_table` writes it.
use std::collections::BTreeSet;

use super::*;

/// A text in Chinese and in English.
type Text = (&'static str, &'static str);

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/state-table.md");

fn relation(relation: Relation) -> Text {
    match relation {
        Relation::Desk => ("受理单位", "desk"),
        Relation::Holder => ("经办单位", "holder"),
        Relation::CoHandler => ("未完成的会办单位", "open co-handler"),
        Relation::Area => ("事件所在区域", "event's area"),
        Relation::District => ("全区县", "district"),
        Relation::Reader => ("可查看者", "reader"),
        Relation::System => ("系统自动", "automatic"),
        Relation::Reporter => {
            ("凭手机尾号或查询码证明的报事人", "reporter, shown by the number's tail or the tracking code")
        }
    }
}

fn field(field: Field) -> Text {
    match field {
        Field::Reason => ("事由", "reason"),
        Field::Note => ("说明", "note"),
        Field::Evidence => ("证据至少一件", "evidence, at least one piece"),
        Field::Outcome => ("处置结果", "outcome"),
        Field::Target => ("接收单位", "target unit"),
        Field::Amount => ("延长时间", "amount of time"),
        Field::ResumeDate => ("恢复日期", "resume date"),
        Field::Root => ("主事件", "root event"),
        Field::Level => ("督办级别", "level"),
    }
}

fn clock(effect: ClockEffect) -> Text {
    match effect {
        ClockEffect::Keep => ("不变", "unchanged"),
        ClockEffect::StartStep(Step::Accept) => ("受理计时开始", "accept clock starts"),
        ClockEffect::StartStep(Step::Register) => ("立案计时开始", "register clock starts"),
        ClockEffect::StartStep(Step::Dispatch) => ("派遣计时开始", "dispatch clock starts"),
        ClockEffect::StartStep(Step::Verify) => {
            ("核查计时开始，处置计时继续", "verify clock starts, handling clock runs on")
        }
        ClockEffect::StartStep(Step::Handle) => unreachable!("handling has its own effect"),
        ClockEffect::StartHandling => {
            ("本轮首次派遣时处置计时开始", "handling clock starts at the round's first dispatch")
        }
        ClockEffect::EndStep => ("核查计时结束，处置计时继续", "verify clock ends, handling clock runs on"),
        ClockEffect::EndAll => ("全部计时结束", "all clocks end"),
        ClockEffect::Extend => ("处置时限顺延", "handling deadline moves by the amount"),
        ClockEffect::Pause => ("处置计时暂停", "handling clock stands still"),
        ClockEffect::Resume => (
            "处置计时恢复，时限按暂停的工作时间顺延",
            "handling clock runs on, deadline moved by the time it stood still",
        ),
        ClockEffect::SetAside => ("并案期间不计时", "no clock while merged"),
        ClockEffect::Restore => ("恢复原有计时", "clocks as they were"),
        ClockEffect::Alarm => ("当前计时的下一级提醒", "next alarm of the running clock"),
    }
}

/// What else `apply` checks or changes, told for people.
fn rule(action: ActionKind) -> Text {
    match action {
        Report => (
            "公众直接上报的，以及居民、企业或匿名上报且类别要求核实的，进入待核实；职能部门可在全区县上报",
            "to be verified where it comes in without login, or the public reports and the category asks for it; a department reports anywhere in the district",
        ),
        Accept => (
            "由谁受理，即以其层级计为受理并成为受理单位",
            "the level that accepts is counted and becomes the desk",
        ),
        Dispatch => (
            "接收单位须在受理单位辖区内；派给职能部门须由街道或区县派遣",
            "inside the desk's area; to a department from street or district only",
        ),
        Resolve => ("会办单位须全部完成，无待审批的申请", "all co-handlers done, no request pending"),
        Pass | Fail => ("不得由处置人本人核查", "not by the person who resolved it"),
        RequestReturn => (
            "终审后不得再退回；同一时间只有一项待审批的申请；事由为“其他”时须填说明",
            "not after a final ruling; one pending request at a time; reason OTHER needs a note",
        ),
        ApproveReturn => {
            ("每个事件至多两次，此后须终审", "twice for an event at the most, then it needs a ruling")
        }
        RuleOnReturn => (
            "仅限已同意退回两次之后；裁定的单位不得退回、上报或转办",
            "only after two approved returns; binds the unit: no return, no passing on up or across",
        ),
        RequestExtension => (
            "时限届满前提出，至多两次，每次不超过原时限",
            "before the deadline, twice at the most, no longer than the limit each",
        ),
        RequestSuspension | ApproveSuspension => {
            ("恢复日期须晚于当前时间", "the resume date lies in the future")
        }
        Resume => (
            "到恢复日期由系统自动恢复；暂停前已超时的，时限不变",
            "automatic on the date; a deadline that had passed before stays",
        ),
        Escalate => ("上一级；区县以上无上级", "one level up; none above the district"),
        Delegate => ("下一级", "one level down"),
        Transfer => (
            "同级区域之间；部门之间；派遣后由街道或区县转职能部门",
            "between sibling areas; between departments; once dispatched, from street or district to a department",
        ),
        Settle => ("以办理人所在层级计为受理", "counts as acceptance by the actor's level"),
        Reopen => (
            "结案后 72 小时内（可按区县设定），或复核待处理时；轮次加一",
            "within 72 hours of closing (a setting), or while a review is asked for; one round more",
        ),
        Answer => (
            "每次结案一次，结案后 15 天内（可设定）；并案的在主事件结案后评价；未解决即申请复核",
            "once for each closing, within 15 days of it (a setting); of a merged event once its root is closed; \
             not solved asks for a review",
        ),
        AskReview => (
            "并入此事件的报事人评价未解决时",
            "when the reporter of an event merged into it answers that it is not solved",
        ),
        Uphold => (
            "有待处理的复核；不得由处置人本人决定",
            "a review is asked for; not by the person who resolved it",
        ),
        Reveal => ("记录在案；报事人留有电话", "recorded; the reporter left a number"),
        Merge => (
            "主事件须为本区县未办结且未并案的其他事件；已有事件并入的不得再并",
            "into another open event of the district; not if events were merged into it",
        ),
        Unmerge => ("恢复并案前的状态", "the state before the merge"),
        Warn => ("用时达 80 %，每个时限一次", "at 80 % of the time, once for a deadline"),
        Overdue => (
            "用时达 100 % 与 150 %，各一次；逐级告知上级，经办单位不变",
            "at 100 % and at 150 %, once each; told one level higher each time, the holder keeps the work",
        ),
        _ => ("", ""),
    }
}

/// Everything in one language: 0 Chinese, 1 English.
struct Printer(usize);

impl Printer {
    fn pick(&self, text: Text) -> &'static str {
        if self.0 == 0 { text.0 } else { text.1 }
    }

    fn join<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> String {
        let texts: Vec<&str> = texts.into_iter().collect();
        if texts.is_empty() { "–".to_owned() } else { texts.join(self.pick(("、", ", "))) }
    }

    fn state(&self, state: State) -> &'static str {
        if self.0 == 0 { state.chinese() } else { state.code() }
    }

    fn from(&self, arc: &Arc) -> String {
        if arc.from.len() == State::all().count() {
            return self.pick(("任何状态", "any")).to_owned();
        }
        if arc.from == OPEN {
            return self.pick(("任何未办结状态", "any open")).to_owned();
        }
        self.join(arc.from.iter().map(|state| self.state(*state)))
    }

    fn to(&self, arc: &Arc) -> String {
        match arc.to {
            Next::To(state) => self.state(state).to_owned(),
            Next::Keep => self.pick(("不变", "unchanged")).to_owned(),
            Next::Reported => self.pick(("已上报或待核实", "REPORTED or VERIFYING")).to_owned(),
            Next::Restored => self.pick(("并案前的状态", "the one before")).to_owned(),
        }
    }

    fn who(&self, arc: &Arc) -> String {
        let one = |(roles, at): &(&[Role], Relation)| {
            let spoken: Vec<String> = roles.iter().map(|role| role.code().replace('_', " ")).collect();
            let roles = match self.0 {
                0 => self.join(roles.iter().map(|role| role.chinese())),
                _ => self.join(spoken.iter().map(String::as_str)),
            };
            format!("{roles} @ {}", self.pick(relation(*at)))
        };
        arc.who.iter().map(one).collect::<Vec<_>>().join(self.pick(("；", "; ")))
    }

    fn row(&self, arc: &Arc) -> String {
        let name = match self.0 {
            0 => format!("{} `{}`", arc.action.chinese(), arc.action.code()),
            _ => format!("`{}` {}", arc.action.code(), arc.action.chinese()),
        };
        let needs = self.join(arc.requires.iter().map(|needed| self.pick(field(*needed))));
        let cells = [
            name,
            self.from(arc),
            self.to(arc),
            self.who(arc),
            needs,
            self.pick(clock(arc.clock)).to_owned(),
        ];
        format!("| {} | {} |\n", cells.join(" | "), self.pick(rule(arc.action)))
    }

    fn table(&self) -> String {
        let head = self.pick((
            "| 动作 | 起始状态 | 到达状态 | 谁可以 @ 与事件的关系 | 必填 | 计时 | 其他规则 |\n",
            "| Action | From | To | Who @ standing to the event | Required | Clocks | Further rules |\n",
        ));
        let rows: String = ARCS.iter().map(|arc| self.row(arc)).collect();
        format!("{head}|---|---|---|---|---|---|---|\n{rows}")
    }
}

fn print() -> String {
    let states: String = State::all()
        .map(|state| format!("| {} | `{}` | {} |\n", state.chinese(), state.code(), state.english()))
        .collect();
    format!(
        "# 事件状态表 · The event's state table\n\n\
         由程序所用的同一张表（services/grid/src/model/arcs.rs）打印，请勿手工修改。\n\
         Printed from the table that the code runs on; do not edit by hand.\n\n\
         ## 状态 · States\n\n| 中文 | Code | English |\n|---|---|---|\n{states}\n\
         ## 名词\n\n\
         - 受理单位：受理、立案、派遣、核查事件的区域单位。\n\
         - 经办单位：当前应当办理的单位；派遣至处置完成之间是主办单位，其余时间是受理单位。\n\
         - 授权覆盖：区域授权覆盖本区域及其下级；区县授权覆盖全区县的区域；职能部门只由本部门授权覆盖。\n\
         - 未办结：已结案、不予受理、作废、已并案以外的状态。\n\
         - 动作被拒绝时，依次检查：角色、状态、与事件的关系、必填项、其他规则。\n\n\
         ## 动作\n\n{}\n\
         ## Terms\n\n\
         - Desk: the area's office that accepts, registers, dispatches and verifies.\n\
         - Holder: who must act now; the lead from dispatch to resolution, the desk otherwise.\n\
         - Reach: a grant over an area reaches what lies below it, one over the district every area of it; \
         a department is reached from itself only.\n\
         - Open: neither CLOSED, REJECTED, VOIDED nor MERGED.\n\
         - A refusal checks in this order: role, state, standing, required fields, further rules.\n\n\
         ## Actions\n\n{}",
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
    assert!(kept == printed, "docs/state-table.md is not as printed: run with UPDATE_STATE_TABLE=1");
}

#[test]
fn each_action_has_one_row_in_its_place() {
    for (index, arc) in ARCS.iter().enumerate() {
        assert_eq!(arc.action as usize, index);
        let from: BTreeSet<&str> = arc.from.iter().map(|state| state.code()).collect();
        assert_eq!(from.len(), arc.from.len(), "{:?} names a state twice", arc.action);
    }
    assert_eq!(ARCS.len(), ActionKind::all().count());
}
