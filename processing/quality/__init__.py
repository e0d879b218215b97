"""How well two images agree: PSNR, SSIM, Delta-L, weighted and aligned."""
