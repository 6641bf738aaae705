/** The built daemon as a client of the original sees it: the control protocol byte for byte, over a bare socket. */
