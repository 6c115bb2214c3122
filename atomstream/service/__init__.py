"""The service: processes that receive, analyse and show, and one that minds them."""
