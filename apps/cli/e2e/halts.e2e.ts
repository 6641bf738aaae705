/** Roots that vanish, change or fill up, and what must never be followed or opened, with the built programs. */
