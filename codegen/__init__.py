"""The generator of typed clients: from service models to Python packages, pass by pass.

The passes run in the order of `codegen.pipeline`; each is a module that answers one question:

* `load`: what do the model files say? (read, unzip, choose the newest version, merge extras)
* `validate`: does every reference lead somewhere?
* `override`: what is corrected, and is the correction still needed?
* `select`: which operations, which shapes, in which direction?
* `resolve`: what does the runtime have to know of them?
* `name`: what is everything called in Python?
* `render`: what do the files say?
* `format`: is the text laid out as black does?
* `publish`: what of it differs from what is on disk?

All faults of all services are collected and reported together; with a single one nothing is
written.
"""
