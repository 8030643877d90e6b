// The datasets that a checkpoint was trained with, as its metadata has them. Pure functions. Errors: UserError naming
// the place in the metadata.
#pragma once

#include <string>

#include "common/checkpoint/metadata.h"
#include "common/config/inputs/open_dataset.h"

namespace tradewind::inputs {

// The arguments of the training's open_dataset, with full paths where they are known.
config::OpenDataset dataset_of_training(const checkpoint::Metadata& metadata);
// `partition`: "test", "training" or "validation" of the data loader.
config::OpenDataset dataset_of_training(const checkpoint::Metadata& metadata, const std::string& partition);

// {dataset} in paths replaced.
config::OpenDataset with_dataset(config::OpenDataset options, const std::string& name);

}  // namespace tradewind::inputs
