// What ranks send in a step, beside what their halos say and what the reference's scheme would send.
#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <string>

#include "common/checkpoint/opening/obstacles.h"
#include "tests/unit/dist/ranks.h"
#include "tests/unit/nn/device_path.h"
#include "worker/dist/transpose.h"
#include "worker/nn/model.h"
#include "worker/npz/npz.h"

using namespace tradewind;

namespace {

constexpr std::int64_t value_bytes = sizeof(float);

struct Widths {
  std::int64_t layers, channels, inputs, outputs;
};

Widths widths_of(const checkpoint::ModelDescription& model) {
  const auto& stage = std::get<checkpoint::ProcessStage>(model.trunk.at(0));
  const auto& blocks = std::get<checkpoint::TransformerProcessorDescription>(stage.processor).blocks;
  const checkpoint::DatasetDescription& data = model.datasets.at(0);
  const std::int64_t trainable = data.nodes.trainable ? data.nodes.trainable->shape[1] : 0;
  return {static_cast<std::int64_t>(blocks.size()), blocks.front().heads * blocks.front().head_size,
          data.input_steps * data.input_variables + 4 + trainable, data.output_variables};
}

// Queries, keys, values and results go between rows and heads in every layer; sources of both mappers and the output
// are gathered on every rank.
std::int64_t reference_sends(const Widths& widths, std::int64_t data_rows, std::int64_t hidden_rows, int world_size) {
  const std::int64_t others = world_size - 1;
  return value_bytes * (widths.layers * 4 * hidden_rows * widths.channels * others / world_size +
                        others * (data_rows * (widths.inputs + widths.outputs) + hidden_rows * widths.channels));
}

// A step of the model with its output on one rank.
struct Sent {
  std::int64_t model = 0, output = 0;
};

Sent one_step(const checkpoint::ModelDescription& description, const at::Tensor& x, dist::Communicator& communicator) {
  const auto model = nn::make_model(description, {.operations = testing::operations()}, communicator);
  const dist::TrafficTable before = communicator.statistics().by_phase();
  const at::Tensor y = model->predict({x.slice(1, model->rows().begin, model->rows().end).contiguous()}, {}).front();
  const dist::TrafficTable after = communicator.statistics().by_phase();
  const Widths widths = widths_of(description);
  Sent result;
  for (const auto& [name, columns] : {std::pair<std::string, std::int64_t>{"encoder", widths.inputs},
                                      {"processor", widths.layers * widths.channels},
                                      {"decoder", widths.channels}}) {
    const std::string& phase = name;  // older compilers capture no parts of a pair
    CAPTURE(phase);
    const std::int64_t halo = communicator.statistics().rows().at(phase).halo;
    CHECK(halo > 0);
    CHECK(after.at(phase).bytes_received - before.at(phase).bytes_received == halo * columns * value_bytes);
    result.model += after.at(phase).bytes_sent - before.at(phase).bytes_sent;
  }
  dist::FieldLayout layout{.owners = {}, .row_counts = dist::Shards(x.size(1), communicator.size()).sizes()};
  for (int field = 0; field < widths.outputs; ++field) layout.owners.push_back(field % communicator.size());
  const std::int64_t total = communicator.statistics().total().bytes_sent;
  dist::fields_to_owners(
      communicator, y[0].t().contiguous(), layout, [](const auto&, const at::Tensor&) {}, "output.fields");
  result.output = communicator.statistics().total().bytes_sent - total;
  const std::int64_t own = std::count(layout.owners.begin(), layout.owners.end(), communicator.rank());
  CHECK(result.output == (widths.outputs - own) * model->rows().size() * value_bytes);
  return result;
}

}  // namespace

TEST_CASE("ranks send what their halos say, at most a fifth of what the reference's scheme sends") {
  const std::filesystem::path folder = std::filesystem::path(TRADEWIND_GOLDEN_DIR) / "gt-transformer";
  const auto archive = archive::Archive::open((folder / "reference.npz").string());
  const auto checkpoint = checkpoint::open_checkpoint((folder / "inference-last.ckpt").string());
  const at::Tensor x = npz::read(*archive, "input_first");
  for (const int world_size : {2, 4}) {
    CAPTURE(world_size);
    std::int64_t sent = 0, reference = 0;
    std::mutex mutex;
    testing::run_ranks(world_size, [&](dist::Communicator& communicator) {
      const Sent own = one_step(checkpoint.model, x, communicator);
      const std::int64_t
          data =
              dist::Shards(checkpoint.model.datasets.at(0).nodes.count, world_size).range(communicator.rank()).size(),
          hidden = dist::Shards(checkpoint.model.levels.at(0).count, world_size).range(communicator.rank()).size();
      const std::lock_guard<std::mutex> lock(mutex);
      sent += own.model + own.output;
      reference += reference_sends(widths_of(checkpoint.model), data, hidden, world_size);
    });
    MESSAGE("with ", world_size, " ranks ", sent, " bytes, by the reference's scheme ", reference);
    CHECK(5 * sent <= reference);
  }
}
