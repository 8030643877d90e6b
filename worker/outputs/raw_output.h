// Output `raw`: one compressed .npz per state, with the reference's names and types: field_<variable> (float32), date
// (text), latitudes and longitudes (float64, degrees).
// As of GRIB output, arrays are packed by the ranks in turn behind the forecast, and each is written by the rank that
// has packed it where that one may write (placement.h). What a rank holds: its share of one state's fields and their
// packed bytes, coordinates of the grid once it has had to write them.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "worker/npz/npz.h"
#include "worker/outputs/file_layout.h"
#include "worker/outputs/file_sink.h"
#include "worker/outputs/output.h"
#include "worker/outputs/restartable.h"
#include "worker/outputs/task_threads.h"

namespace tradewind::outputs {

class RawOutput : public Output, public Restartable {
 public:
  RawOutput(const config::RawOutputConfig& config, const OutputContext& context, dist::Communicator& communicator);
  bool wants(Duration step) const override;
  std::vector<std::string> prepare(const Outlook& outlook) override;
  void write(const State& state) override;
  void close() override;
  OutputFigures figures() const override;
  std::string caution() const override;
  std::vector<std::string> files() const override { return layout_.files(); }

  Settled settle() override;
  void resume(Settled settled) override { layout_.resume(settled.told); }

 private:
  struct Array {
    std::string name;
    at::Tensor values;      // whole, when this rank packs it; let go once packed
    npz::PackedArray part;  // then
  };
  // A state on its way: this rank's arrays, in order.
  struct Step {
    Duration step{};
    std::string path;
    std::size_t arrays = 0;  // of all ranks, without the directory
    std::vector<Array> own;
    std::string date;  // as text; for the rank that packs it
  };

  std::string path_of(Time base, Duration step) const;
  std::vector<std::int64_t> selected(const State& state) const;
  void gather_fields(const State& state, const std::vector<std::int64_t>& positions, Step& step);
  void gather_coordinates(const fields::Grid& grid, std::size_t first, Step& step);
  void pack(Array& array, const std::string& date);
  void finish_step();

  config::RawOutputConfig config_;
  OutputContext context_;
  dist::Communicator& communicator_;
  FileSink sink_;
  FileLayout layout_;
  std::set<std::string> begun_;                             // paths
  std::optional<npz::PackedArray> latitudes_, longitudes_;  // those this rank has had to pack
  std::set<int> served_;                                    // ranks that have had the grid's coordinates
  std::atomic<std::int64_t> packing_nanoseconds_ = 0;
  std::unique_ptr<Step> step_;  // being packed
  TaskThreads threads_;         // last: its threads read what is above
};

}  // namespace tradewind::outputs
