"""The server: model files behind HTTP, for one machine and many clients. docs/serve.md is its page.

``run`` binds and stops, ``app`` puts routes together, ``guards`` and ``connections`` stand in front of them,
``batching`` and ``models`` behind them. Nothing here imports a training library.
"""
