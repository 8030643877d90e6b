#include "common/checkpoint/description.h"

#include "common/errors.h"

namespace tradewind::checkpoint {

const DatasetDescription& only_dataset(const ModelDescription& model) {
  if (model.datasets.size() == 1) return model.datasets.front();
  throw UserError("a model of " + std::to_string(model.datasets.size()) + " datasets is not supported here", "datasets",
                  "models of one dataset are");
}

}  // namespace tradewind::checkpoint
