// A model with the hand of its base runner in it: what a call of the model makes, after_step() may change before
// anybody sees it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "worker/nn/model.h"
#include "worker/runner/base_runner.h"

namespace tradewind::runner {

// variables: columns of y, of each dataset. `runner` must outlive the model. keeps_nothing() is the runner's word.
std::unique_ptr<nn::Model> make_driven_model(std::unique_ptr<nn::Model> model, BaseRunner& runner,
                                             std::vector<std::vector<std::string>> variables);

}  // namespace tradewind::runner
