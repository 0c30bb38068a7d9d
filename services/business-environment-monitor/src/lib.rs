//! The business-environment monitor (营商环境监督): who watches how a district treats its enterprises, and what comes of it.
//!
//! **Nouns** (`model`): unified social credit code (统一社会信用代码); issue (问题) with its rounds, clocks and level of supervision
//! (督办等级), transition; role (聘任角色), batch (批次), nomination (提名) and appointment (聘任) with its certificate (聘任证书),
//! composition report.
//!
//! **Invariants**: a code that stands is one whose both check digits are right. Each change of an issue is exactly one
//! transition, and replaying them gives the same deadlines; the table `model::issue::arcs` says who may do what from which state; what
//! nobody decides in time is accepted; a deadline moves only by an extension, or a pause, and by a pause's working time alone;
//! a monitor neither handles nor verifies what they raised. An appointment lasts whole days, both ends included, no longer than its role's
//! term; a renewal names what it renews and begins the day after it ends; a certificate is valid while its appointment is active.
//!
//! `model` is pure: no I/O, no clock, no randomness.

pub mod model;
