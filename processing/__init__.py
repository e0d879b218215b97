"""From a recorded session to developed, aligned image pairs with masks and figures (paper section 3).

One file a step: `colour` (Eq. 3-5), `photometric` (Eq. 6-7), `demosaic`, `isp`, `flow`, `resample`,
`masks` (LBFMG), `metrics`; `pipeline` puts them together in the order of the paper's Fig. 3.
"""
