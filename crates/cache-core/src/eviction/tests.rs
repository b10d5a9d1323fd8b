//! The policy on traffic whose best answer is known.
