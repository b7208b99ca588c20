//! Decisions that several operations make, above adapters and doors.
