"""The documentation as a site: `sphinx-build -W -n docs public`."""

from gnss_coop import __version__

project = "gnss-coop"
author = "The gnss-coop developers"
copyright = "the gnss-coop developers, BSD-3-Clause"  # the name that Sphinx reads
version = release = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
nitpicky = True

# Pages are MyST Markdown; code cells in them are run when the site is built, so that none can go stale.
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_execution_show_tb = True

# API pages come from the docstrings. Types there are written for people ("float64 (n_epoch,)"), so they are no links.
autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_preprocess_types = False
napoleon_use_rtype = False
napoleon_use_param = False
napoleon_use_ivar = True
default_role = "code"

html_theme = "furo"
html_title = "gnss-coop"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
