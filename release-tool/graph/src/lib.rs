//! A build graph: nodes named by the digest of what goes into them, their cache, and their execution.
