//! What is reported: a category of the demo district with words for it, and who handles it.

use super::plan::{roll, root};

/// A kind of report: category, condition, department, what happened, what was done.
pub(super) struct Kind {
    pub(super) category: &'static str,
    pub(super) condition: &'static str,
    pub(super) department: &'static str,
    pub(super) happened: [&'static str; 3],
    pub(super) done: &'static str,
    /// Whether its limit is counted in working days.
    pub(super) in_days: bool,
}

#[rustfmt::skip] // a kind is a line
const KINDS: [Kind; 9] = [
    kind("exposed-rubbish", "", "sanitation", ["单元门口垃圾堆放，有异味", "垃圾桶满溢，影响通行", "拐角处有建筑垃圾袋"], "已清运并冲洗地面", true),
    kind("accumulated-spoil", "", "sanitation", ["空地积存渣土，遇雨泥泞", "施工渣土未覆盖", "路边堆放拆除渣土"], "已清运渣土并平整场地", true),
    kind("illegal-posters", "", "urban-management", ["楼道内张贴小广告", "电线杆上喷涂小广告", "公告栏被小广告覆盖"], "已清除小广告并教育当事人", false),
    kind("burst-pipe", "unfenced", "water-company", ["路面冒水，未设围挡", "楼前水管爆裂，积水漫路", "绿化带内管道漏水"], "已关阀抢修，恢复供水", false),
    kind("water-arrears", "", "water-company", ["老旧楼院总表欠费被停水", "无主管楼院水费分摊不清", "居民反映欠费停水"], "已协调恢复供水并改造分户水表", true),
    kind("street-light", "", "power-supply", ["背街小巷路灯不亮", "小区门口两盏路灯损坏", "路灯白天常亮夜间不亮"], "已更换灯具，恢复照明", true),
    kind("tree-pests", "", "garden-centre", ["行道树生虫，树胶滴落在停车位上", "树上有虫害，落叶发黄", "绿化带虫害，居民无法晾晒"], "已喷药除虫并清洗地面", true),
    kind("blocked-fire-lane", "", "fire-rescue", ["私家车占用消防通道", "消防通道堆放杂物", "消防登高场地被占用"], "已清空通道并张贴提示", false),
    kind("neighbour-dispute", "", "justice", ["楼上漏水引发邻里纠纷", "噪声扰民引发争执", "公共部位占用起纠纷"], "已上门调解，双方签订协议", true),
];

#[rustfmt::skip] // a kind is a line
const fn kind(category: &'static str, condition: &'static str, department: &'static str, happened: [&'static str; 3], done: &'static str, in_days: bool) -> Kind {
    Kind { category, condition, department, happened, done, in_days }
}

/// What an event is about.
pub(super) fn of(event: usize) -> &'static Kind {
    &KINDS[roll(root(event), "kind", KINDS.len())]
}

/// What happened, with the place.
pub(super) fn description(event: usize) -> String {
    let building = 1 + roll(event, "building", 30);
    format!("{building}号楼附近：{}", of(event).happened[roll(event, "words", 3)])
}

/// What a worker notes on a round.
pub(super) fn note(number: usize) -> &'static str {
    const NOTES: [&str; 8] = [
        "巡查楼道，消防通道畅通",
        "走访独居老人，身体状况良好",
        "提醒商户门前三包",
        "宣传医保缴费政策",
        "楼顶杂物已劝导居民清理",
        "发放便民服务连心卡",
        "检查电动车充电棚，未见飞线",
        "居民反映快递柜位置不便，已转告物业",
    ];
    NOTES[number % NOTES.len()]
}

/// A mobile number that nobody has.
pub(super) fn phone(event: usize) -> String {
    format!("1990000{event:04}")
}
