// Output `netcdf`: one NetCDF-4 file with the reference's layout (CF): variables (time, values), coordinates of the
// points, valid time, lead time and reference time. A NetCDF file has one writer, rank 0: fields come to it some at a
// time and are written behind the forecast by one thread. What it holds: the fields that wait, which are bounded, and
// the coordinates while the file begins.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "worker/netcdf/nc_file.h"
#include "worker/outputs/file_sink.h"
#include "worker/outputs/output.h"
#include "worker/outputs/write_queue.h"

namespace tradewind::outputs {

class NetcdfOutput : public Output {
 public:
  NetcdfOutput(const config::NetcdfOutputConfig& config, const OutputContext& context,
               dist::Communicator& communicator);
  bool wants(Duration step) const override;
  std::vector<std::string> prepare(const Outlook& outlook) override;
  void write(const State& state) override;
  void close() override;
  OutputFigures figures() const override { return queue_.figures(); }
  std::string caution() const override;
  std::vector<std::string> files() const override;

 private:
  // Of the file, once it has begun; on rank 0. The thread behind alone touches it.
  struct File {
    explicit File(const std::string& path) : file(path) {}
    netcdf::NcFile file;
    int time_dimension = 0, values_dimension = 0, time = 0, period = 0;
    std::map<std::string, int> variables;
  };

  std::vector<std::int64_t> selected(const State& state) const;
  void check_names(const Due& due) const;
  void begin(const State& state);
  void define(Time base, std::size_t points, const std::vector<double>& latitudes,
              const std::vector<double>& longitudes);
  void put_field(const std::string& name, std::size_t record, const at::Tensor& field);
  void hand_over(const State& state, const std::vector<std::int64_t>& positions);
  // On the thread behind, watched.
  void later(std::size_t bytes, std::function<void()> job);

  config::NetcdfOutputConfig config_;
  OutputContext context_;
  dist::Communicator& communicator_;
  FileSink sink_;
  bool begun_ = false;
  std::size_t records_ = 0;
  std::unique_ptr<File> file_;
  WriteQueue queue_;  // last: its thread uses what is above
};

}  // namespace tradewind::outputs
