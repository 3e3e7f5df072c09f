"""The reference server: I/O around the sessions of `protocol`, and the engines behind them."""
