"""The pages of the window: plan, capture, review, deblur."""
