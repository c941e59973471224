"""One module a subcommand. They import what takes seconds (torch) only when they run, so that --help is instant."""
