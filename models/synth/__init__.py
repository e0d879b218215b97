"""Made training pairs: objects moved over photographs, averaged film, and the virtual rig's own pictures."""
