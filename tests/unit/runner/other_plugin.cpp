// A plugin that does not fit the worker.
#include <ATen/core/Tensor.h>

#include "worker/runner/base_runner.h"

namespace {

using namespace tradewind::runner;

const PluginFacts facts = {
#ifdef OTHER_version
    .version = plugin_version + 1,
#else
    .version = plugin_version,
#endif
#ifdef OTHER_layout
    .layout = plugin_layout + 1,
#else
    .layout = plugin_layout,
#endif
#ifdef OTHER_torch
    .torch_version = "1.0.0",
#else
    .torch_version = TORCH_VERSION,
#endif
    .enter = [](BaseRunners&) { throw 1; }};

}  // namespace

#ifndef OTHER_symbol
extern "C" const PluginFacts* tradewind_base_runners() { return &facts; }
#else
extern "C" const PluginFacts* tradewind_register() { return &facts; }
#endif
