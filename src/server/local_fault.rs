//! Tells which fault of the portal a transport's error shows.

pub use domain::local_fault::LocalFault;

/// Returns the portal's name of a transport's fault.
pub fn classify(fault: transport::LocalFault) -> LocalFault {
    match fault {
        transport::LocalFault::Resources => LocalFault::Resources,
        transport::LocalFault::Names => LocalFault::Names,
        transport::LocalFault::Network => LocalFault::Network,
    }
}
