"""Differential tests: what this library sends and understands, against botocore.

`models` gives each service of botocore's data folder as both libraries' models, `random_params`
makes parameters and results from a model, `oracle` says what botocore sends and understands. Run
``python -m tests.conformance --help`` for the whole catalogue.
"""
