/** How jobs are shown: the status text of the original and the status object. */
