//! jingwei-tests
