// Fields out of GRIB files: one file, a folder or a glob, scanned once into an index; only what is asked for is
// decoded, each message by one rank, and grid rows change hands in one exchange. Files must hold exactly one field per
// variable and valid time, on the expected grid; step, type and stream do not matter. They must stay what they were.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "worker/grib/index.h"
#include "worker/inputs/input.h"
#include "worker/inputs/template_source.h"

namespace tradewind::inputs {

class GribInput : public Input, public TemplateSource {
 public:
  GribInput(const config::GribInputConfig& config, const InputContext& context);
  std::optional<Time> latest_date() override;
  std::optional<GridPoints> grid_points(std::int64_t count) override;
  bool has_real_grid() const override { return true; }
  void expect(std::shared_ptr<ExpectedGrid> grid) override;
  void only_of(std::optional<Time> forecast) override { forecast_ = forecast; }
  std::vector<std::string> take_warnings() override;
  // A view: storage is (dates, variables, rows).
  at::Tensor read(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                  const dist::RowRange& rows) override;
  at::Tensor read_double(const std::vector<std::string>& variables, const std::vector<Time>& dates,
                         const dist::RowRange& rows) override;
  std::vector<ListedField> list(const std::vector<std::string>& variables,
                                const std::vector<Time>& dates) const override;
  std::shared_ptr<const grib::TemplateSet> templates(const std::vector<std::string>& variables) override;

 private:
  const grib::IndexedMessage& first_of_model() const;
  using Messages = std::vector<const grib::IndexedMessage*>;
  Messages select(const std::vector<std::string>& variables, const std::vector<Time>& dates) const;
  void check_points(const Messages& messages) const;
  void check_grids(const Messages& messages);
  at::Tensor read_as(at::ScalarType type, const std::vector<std::string>& variables, const std::vector<Time>& dates,
                     const dist::RowRange& rows);
  // (messages, rows). Collective.
  at::Tensor decode(at::ScalarType type, const Messages& messages, const dist::RowRange& rows) const;
  void check_units(const grib::IndexedMessage& message, const grib::Handle& handle) const;
  // Into all points of one field.
  void decode_one(const grib::IndexedMessage& message, at::Tensor whole) const;

  std::string path_;
  const checkpoint::Metadata& metadata_;
  dist::Communicator& communicator_;
  std::vector<std::string> warnings_;
  std::shared_ptr<const grib::Index> index_;
  std::shared_ptr<ExpectedGrid> grid_;
  bool gave_points_ = false;
  std::optional<Time> forecast_;                               // only_of()
  std::map<std::string, const grib::IndexedMessage*> latest_;  // of what was read
};

}  // namespace tradewind::inputs
