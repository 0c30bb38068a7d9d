//! jingwei-standalone
