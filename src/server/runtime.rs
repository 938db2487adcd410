//! The threads that everything runs on.

use std::io;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};

/// Bytes of a thread's stack, taken as they are used: a template's branches are compiled one inside the other.
const STACK: usize = 16 * 1024 * 1024;

/// One thread for each processor; on a single one there is nothing to share work with. A thread that is about to wait
/// writes what the log has gathered.
pub(super) fn runtime() -> io::Result<Runtime> {
    let mut builder = match available_parallelism() {
        Ok(processors) if processors.get() > 1 => Builder::new_multi_thread(),
        Ok(_) | Err(_) => Builder::new_current_thread(),
    };
    builder.thread_stack_size(STACK).enable_all().on_thread_park(crate::log::flush).build()
}
