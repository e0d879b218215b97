"""Where S's pixels lie in B, and B resampled there: registration, dense flow, kernels."""
