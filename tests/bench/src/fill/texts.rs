//! What people write: short sentences, invented.

use fastrand::Rng;

const DESCRIPTIONS: [&str; 8] = [
    "路口东侧垃圾堆放未清，影响通行，请尽快处理",
    "楼下水管漏水，路面积水，老人出行不便",
    "人行道地砖松动两块，夜间易绊倒",
    "路灯不亮，附近住户反映多日",
    "绿化带树木生虫，树胶滴到车上",
    "消防通道被两辆车占用，已电话联系车主未果",
    "单元门口张贴小广告十余张",
    "邻里因噪声发生争执，请上门调解",
];
const RESULTS: [&str; 5] = [
    "已现场清理完毕",
    "已修复并恢复使用",
    "已与当事人沟通并整改",
    "已更换损坏部件",
    "已消杀处理，三日后复查",
];
const STREETS: [&str; 6] = ["康泰路", "索河路", "京城路", "兴华路", "塔山路", "福民路"];
const FAMILIES: [&str; 8] = ["王", "李", "张", "刘", "陈", "杨", "赵", "黄"];

/// What happened.
pub(super) fn description(random: &mut Rng) -> String {
    pick(&DESCRIPTIONS, random).to_owned()
}

/// What was done.
pub(super) fn done(random: &mut Rng) -> String {
    pick(&RESULTS, random).to_owned()
}

/// Where, in words.
pub(super) fn address(random: &mut Rng) -> String {
    format!("{}{}号", pick(&STREETS, random), random.u32(1..300))
}

/// What a reporter is called.
pub(super) fn name(random: &mut Rng) -> String {
    format!("{}{}", pick(&FAMILIES, random), if random.bool() { "先生" } else { "女士" })
}

fn pick<'a>(texts: &[&'a str], random: &mut Rng) -> &'a str {
    texts[random.usize(0..texts.len())]
}
