// What a further attempt of a run starts from (`--restart`): the state of the forecast's random numbers, and of each
// dataset the model's next input in full precision and running sums, as they are after a model call whose output is on
// disk, with the sizes of the output's files then.
//
// In the restart folder each rank keeps `rank-R.call-K` (the random numbers' bytes, then of each dataset its rows of x
// and of the sums, float32 in the host's order, nothing else), and rank 0 `point.json`, which tells the newest call
// that is whole on every rank, each file's length and CRC-32, and whose point it is: run, config and checkpoint. A file
// is written beside its name and on disk before it takes it, point.json last; what the point before needed goes only
// after that. So there is a whole point at any moment once there was one. Files may lie on disks of several hosts as
// long as a rank finds its own again. Collective. Not thread-safe. Errors: EnvironmentFault naming the file.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "worker/dist/communicator.h"

namespace tradewind::forecast {

using Sums = std::vector<std::map<std::string, at::Tensor>>;  // of each post-processor, by variable: (rows)

struct DatasetPoint {
  nlohmann::json output;  // what Output::settle() has told
  at::Tensor x;           // (input steps, rows, input variables), of this rank, float32 on the CPU
  Sums sums;
};

struct RestartPoint {
  int calls = 0;      // model calls done
  at::Tensor random;  // state_of() the forecast's numbers, the same on every rank
  std::vector<DatasetPoint> datasets;
};

// How large the tensors of a point are.
struct RestartShape {
  std::size_t random_bytes = 0;
  std::vector<std::vector<std::int64_t>> x;  // of each dataset
};

// Whose point it is: a run that began anew in the same folder must not take up what an earlier one has left.
struct RunIdentity {
  std::string run;         // made by the launcher, the same for all attempts of one run
  std::string config;      // of the merged config
  std::string checkpoint;  // of its content (Archive::fingerprint)
};

class RestartPoints {
 public:
  // Without `keep`, a point that is there is forgotten: it is another run's. So is one of another identity's run.
  RestartPoints(std::string folder, bool keep, RunIdentity identity, dist::Communicator& communicator);

  // Call when everything that the point's output tells is on disk of this rank.
  void write(const RestartPoint& point);
  // The newest one; nullopt when there is none of this run. UserError when config or checkpoint are not
  // those that the attempt before has had.
  std::optional<RestartPoint> read(const RestartShape& shape);
  // The run is whole.
  void remove();

 private:
  std::string own_file(int calls) const;
  void clear();
  nlohmann::json identity() const;
  RestartPoint read_told(const nlohmann::json& told, const RestartShape& shape);

  std::string folder_;
  RunIdentity identity_;
  dist::Communicator& communicator_;
  std::optional<int> newest_;  // calls of the newest point
};

}  // namespace tradewind::forecast
