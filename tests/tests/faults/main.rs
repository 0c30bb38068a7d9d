//! Faults on real processes: what is killed, cut, stalled, full or told to stop loses nothing that was acknowledged, and comes back.

mod clock;
mod disk;
mod kills;
mod network;
mod site;
mod stop;
mod vanish;
