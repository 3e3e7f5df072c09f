"""The engine `local`: real recognisers, translators and voices on this machine, in processes of their own."""
