"""The society's own pages, news, books and inquiries."""
