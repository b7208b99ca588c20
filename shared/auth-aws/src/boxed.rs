//! Futures on the heap. Those of the SDK's calls are large, and a future holds all that it waits
//! for: several of them side by side would not fit a thread's stack.

use std::pin::Pin;

/// Any future.
pub(crate) trait Boxed: Future + Sized {
    /// The same, on the heap.
    fn boxed(self) -> Pin<Box<Self>> {
        Box::pin(self)
    }
}

impl<Any: Future> Boxed for Any {}
