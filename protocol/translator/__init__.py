"""The dialect `translator`: Translator Speech API v1.0, its `/languages` and its token service."""
