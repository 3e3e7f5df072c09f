"""The engine `local`: real recognisers, translators and voices that run on this machine, each in processes of its own."""
