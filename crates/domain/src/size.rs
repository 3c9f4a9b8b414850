//! The size of a stack.

use serde::{Deserialize, Serialize};

/// The limits of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// The CPU limit in nano-CPUs: 1 CPU is 1,000,000,000.
    pub cpu_nanos: Option<u64>,
    /// The memory limit in bytes.
    pub memory_bytes: Option<u64>,
}
