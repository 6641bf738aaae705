/** The package as a user gets it: what is in the tarball, and the two commands it installs. */
