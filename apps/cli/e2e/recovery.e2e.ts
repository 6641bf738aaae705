/** What survives a crash: killed daemons, damaged databases, files written while they are synced, with the built programs. */
