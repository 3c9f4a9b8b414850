//! Converts the local faults of the crate `transport` into those of the domain.

pub use domain::local_fault::LocalFault;

/// Returns the domain's fault for a fault of `transport`.
pub fn classify(fault: transport::LocalFault) -> LocalFault {
    match fault {
        transport::LocalFault::Resources => LocalFault::Resources,
        transport::LocalFault::Names => LocalFault::Names,
        transport::LocalFault::Network => LocalFault::Network,
    }
}
