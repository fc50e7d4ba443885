"""Settings of Sphinx."""

import tornado_aws

project = "tornado-aws"
version = release = tornado_aws.__version__
author = "the tornado-aws contributors"
project_copyright = "2026, the tornado-aws contributors"

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
nitpicky = False
autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_use_ivar = True  # autodoc lists the fields of named tuples itself
html_theme = "alabaster"
html_theme_options = {"description": "A fast, typed, asynchronous AWS client"}
