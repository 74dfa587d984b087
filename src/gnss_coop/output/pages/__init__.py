"""Pages: templates, languages, figures, folders."""
