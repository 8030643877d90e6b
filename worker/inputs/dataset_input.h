// Fields out of a dataset of anemoi-datasets: the one of the configuration, or one that the checkpoint was trained
// with. Each rank reads the chunks that its rows need and no others. A date that is missing in the dataset is an error.
// The reference applies no pre-processors to datasets; nor does this, with a warning.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "worker/datasets/dataset.h"
#include "worker/inputs/input.h"

namespace tradewind::inputs {

class DatasetInput : public Input {
 public:
  DatasetInput(const config::DatasetInputConfig& config, const InputContext& context);
  DatasetInput(const config::TestInputConfig& config, const InputContext& context);
  DatasetInput(const config::TrainingInputConfig& config, const InputContext& context);
  DatasetInput(const config::ValidationInputConfig& config, const InputContext& context);

  std::optional<Time> latest_date() override;  // the last one that is not missing
  std::optional<GridPoints> grid_points(std::int64_t count) override;
  bool has_real_grid() const override { return true; }
  void expect(std::shared_ptr<ExpectedGrid> grid) override;
  bool takes_filters() const override { return false; }
  std::vector<std::string> take_warnings() override;
  // A view: storage is (dates, variables, rows).
  at::Tensor read(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                  const dist::RowRange& rows) override;
  at::Tensor read_double(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                         const dist::RowRange& rows) override;

 private:
  DatasetInput(const config::DatasetOptions& options, const config::OpenDataset& dataset, const InputContext& context);
  std::int64_t rows() const;
  GridPoints points() const;
  datasets::Part part_of(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                         const dist::RowRange& rows) const;
  void check_grid();
  void check_rows(std::int64_t count) const;
  at::Tensor read_as(at::ScalarType type, const std::vector<std::string>& variables, const std::vector<Time>& dates,
                     const dist::RowRange& rows);

  const checkpoint::Metadata& metadata_;
  dist::Communicator& communicator_;
  std::shared_ptr<const datasets::Dataset> dataset_;
  std::vector<std::int64_t> indices_;  // points of the dataset that are the grid's rows; empty: all, in order
  std::shared_ptr<ExpectedGrid> grid_;
  bool gave_points_ = false, warned_of_absent_ = false;
  std::vector<std::string> warnings_;
};

}  // namespace tradewind::inputs
