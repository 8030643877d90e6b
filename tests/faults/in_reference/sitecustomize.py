"""Lets a fault happen in one rank of anemoi-inference: at a call that its model makes of torch.distributed. Put first in
PYTHONPATH, with TRADEWIND_TEST_FAULT="NAME RANK CALL [PATH]".

It is found by the sitecustomize of `tradewind exec`, as a user's own one would be.
"""
import importlib.abc
import importlib.machinery
import os
import sys

USER = "anemoi.models.distributed.primitives"  # once this has been imported, torch is there


def with_fault(dist, name, culprit, number, path):
    import torch
    from faults_in_python import let_happen

    calls = {"count": 0}

    def wrapped(function):
        def call(*arguments, **options):
            if dist.get_rank() != culprit:
                return function(*arguments, **options)
            calls["count"] += 1
            if calls["count"] != number:
                return function(*arguments, **options)
            let_happen(name, path)
            group = options.get("group")
            if name == "skip":
                return None
            if name == "order":
                dist.barrier(group=group)
            if name == "shape":
                odd = torch.ones(7)
                if isinstance(arguments[0], list):
                    return function([torch.ones(7) for _ in arguments[0]], odd, group=group)
                return function(odd, group=group)
            return function(*arguments, **options)

        return call

    for operation in ("all_reduce", "all_gather"):
        setattr(dist, operation, wrapped(getattr(dist, operation)))


class Loader(importlib.abc.Loader):
    def __init__(self, loader):
        self.loader = loader

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        self.loader.exec_module(module)
        name, culprit, number, *path = os.environ["TRADEWIND_TEST_FAULT"].split(" ", 3)
        with_fault(module.dist, name, int(culprit), int(number), path[0] if path else "")


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname, path=None, target=None):
        if fullname != USER:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is not None:
            spec.loader = Loader(spec.loader)
        return spec


if os.environ.get("TRADEWIND_TEST_FAULT"):
    sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir))
    sys.meta_path.insert(0, Finder())
