"""The speech dialects: translation over the Speech service, v1 and v2, as the official SDKs speak it."""
