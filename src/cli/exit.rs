//! Exit codes, after sysexits.
//!
//! Not here: exiting.

use std::process::ExitCode;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done; for the daemon, drained.
    Done,
    /// 1: an event would be a dead letter.
    WouldDie,
    /// 1: a mapping case failed.
    CaseFailed,
    /// 1: the daemon is not well, or does not answer.
    Unhealthy,
    /// 1: the daemon did not take the command.
    NotCommanded,
    /// 1: of a key nothing is known.
    NotTraced,
    /// 1: dead letters were not looked at, or not all of what was asked was done with them.
    LettersLeft,
    /// 64: the command line is wrong.
    Usage,
    /// 70: something that should not be, or cannot be begun.
    Internal,
    /// 74: standard output takes no more.
    OutputClosed,
    /// 75: the drain deadline passed and work was handed back.
    HandedBack,
    /// 78: the configuration is wrong.
    Config,
    /// 130: a second signal.
    SecondSignal,
}

impl Exit {
    /// Every way to end.
    pub const ALL: [Self; 13] = [
        Self::Done,
        Self::WouldDie,
        Self::CaseFailed,
        Self::Unhealthy,
        Self::NotCommanded,
        Self::NotTraced,
        Self::LettersLeft,
        Self::Usage,
        Self::Internal,
        Self::OutputClosed,
        Self::HandedBack,
        Self::Config,
        Self::SecondSignal,
    ];

    /// The code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::WouldDie
            | Self::CaseFailed
            | Self::Unhealthy
            | Self::NotCommanded
            | Self::NotTraced
            | Self::LettersLeft => 1,
            Self::Usage => 64,
            Self::Internal => 70,
            Self::OutputClosed => 74,
            Self::HandedBack => 75,
            Self::Config => 78,
            Self::SecondSignal => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
