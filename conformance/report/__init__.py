"""Reports of a run, for a person, for programs and for continuous integration, all from one stream of events."""
