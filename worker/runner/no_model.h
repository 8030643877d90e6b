// The `no-model` runner: every output value is 1. For trying a configuration, its input and its output without a model.
#pragma once

#include <memory>

#include "worker/nn/model.h"

namespace tradewind::runner {

std::unique_ptr<nn::Model> make_no_model(const checkpoint::ModelDescription& description,
                                         const dist::Communicator& communicator);

}  // namespace tradewind::runner
