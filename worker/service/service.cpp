#include "worker/service/service.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "common/checkpoint/checkpoint.h"
#include "common/checkpoint/input_columns.h"
#include "common/checkpoint/opening/obstacles.h"
#include "common/errors.h"
#include "common/stopwatch.h"
#include "worker/forecast/figures.h"
#include "worker/forecast/random_numbers.h"
#include "worker/nn/model.h"
#include "worker/runner/checkpoint_check.h"
#include "worker/runner/model_options.h"
#include "worker/service/arrays.h"
#include "worker/service/client_socket.h"

namespace tradewind::service {
namespace {

using std::chrono::milliseconds;

// What rank 0 tells the others to do next; numbers, so that telling is one small broadcast.
struct Order {
  enum Kind : std::int64_t { wait, open, call, end };
  Kind kind = wait;
  std::int64_t samples = 0;           // open
  std::int64_t process = 0, at = 0;   // open: whose descriptor the block is
  std::int64_t step = 0;              // call: its number in its forecast
  std::int64_t reseed = 0, seed = 0;  // call: whether its random numbers begin anew
  std::int64_t noise = 0;             // call: the client has given it
};
constexpr std::int64_t numbers_of_order = sizeof(Order) / sizeof(std::int64_t);

void share(Order& order, dist::Communicator& communicator) {
  if (communicator.size() == 1) return;
  at::Tensor numbers = at::from_blob(&order, {numbers_of_order}, at::kLong).clone();
  communicator.broadcast(numbers, 0, "serve order");
  std::copy_n(numbers.const_data_ptr<std::int64_t>(), numbers_of_order, reinterpret_cast<std::int64_t*>(&order));
}

bool takes_step(const checkpoint::ModelDescription& model) {
  return std::any_of(model.datasets.begin(), model.datasets.end(), [](const auto& dataset) {
    return checkpoint::first_column(dataset, checkpoint::InputFeature::forecast_step).has_value();
  });
}

Json welcome_of(const checkpoint::ModelDescription& model, int world_size) {
  Json datasets = Json::array();
  for (const checkpoint::DatasetDescription& one : model.datasets) {
    datasets.push_back({{"name", one.name},
                        {"points", one.nodes.count},
                        {"input_steps", one.input_steps},
                        {"input_variables", one.input_variables},
                        {"output_steps", one.decoder ? one.output_steps : 0},
                        {"output_variables", one.decoder ? one.output_variables : 0}});
  }
  return {{"type", "welcome"},
          {"version", 1},
          {"world_size", world_size},
          {"takes_step", takes_step(model)},
          {"output_has_time", model.output_has_time},
          {"datasets", std::move(datasets)}};
}

// The tensors of calls, on every rank.
struct Tensors {
  SharedBlock block;
  Layout layout;
  std::int64_t samples = 0;
};

// Asks the client what is to be done. Of rank 0 only.
class Desk {
 public:
  Desk(const Options& options, const checkpoint::ModelDescription& model, Json welcome)
      : model_(model), idle_(options.idle), socket_(options.socket, options.token, std::move(welcome)) {}

  // `wait` when nothing has been asked for a while, so that the others hear of rank 0.
  Order next(Tensors& tensors) {
    constexpr milliseconds pulse{500};
    const auto request = socket_.next(pulse);
    if (socket_.left()) return {.kind = Order::end};
    if (!request) {
      waited_ += pulse;
      return {.kind = waited_ >= idle_ ? Order::end : Order::wait};
    }
    waited_ = milliseconds(0);
    try {
      const std::string type = request->value("type", "");
      if (type == "call") return call_of(*request, tensors);
      if (type == "open") return open(*request, tensors);
      if (type == "bye") return {.kind = Order::end};
      socket_.refuse("unknown request `" + type + "`", "ask for open, call or bye");
    } catch (const Json::exception& error) {
      socket_.refuse(std::string("a request of the wrong shape: ") + error.what(), "see proto/PROTOCOL.md");
    } catch (const EnvironmentFault& fault) {
      socket_.refuse(fault.message(), fault.remedy());
    }
    return {};
  }

  void opened(const Tensors& tensors) {
    socket_.reply({{"type", "opened"}, {"bytes", tensors.block.bytes()}, {"arrays", to_json(tensors.layout)}},
                  tensors.block.descriptor());
  }
  void done(double seconds) { socket_.reply({{"type", "done"}, {"seconds", seconds}}); }
  bool idle_too_long() const { return waited_ >= idle_; }

 private:
  Order open(const Json& request, Tensors& tensors) {
    constexpr std::int64_t most = 1 << 16;
    const std::int64_t samples = request.value("samples", std::int64_t{1});
    if (samples < 1 || samples > most) {
      socket_.refuse(std::to_string(samples) + " samples", "ask for 1 to " + std::to_string(most));
      return {};
    }
    tensors = {};
    tensors.layout = layout_of(model_, samples);
    tensors.block = SharedBlock(tensors.layout.bytes);
    tensors.samples = samples;
    return {.kind = Order::open, .samples = samples, .process = ::getpid(), .at = tensors.block.descriptor()};
  }

  Order call_of(const Json& request, const Tensors& tensors) {
    const std::int64_t step = request.value("step", std::int64_t{0});
    const bool noise = request.value("noise", false);
    std::string wrong;
    if (tensors.samples == 0)
      wrong = "a call before open";
    else if (step < 0)
      wrong = "step " + std::to_string(step);
    else if (noise && tensors.layout.noise.empty())
      wrong = "noise for a model that takes none";
    if (!wrong.empty()) {
      socket_.refuse(wrong, "see proto/PROTOCOL.md");
      return {};
    }
    const bool reseed = request.contains("seed");
    return {.kind = Order::call,
            .step = step,
            .reseed = reseed ? 1 : 0,
            .seed = reseed ? request.at("seed").get<std::int64_t>() : 0,
            .noise = noise ? 1 : 0};
  }

  const checkpoint::ModelDescription& model_;
  milliseconds idle_, waited_{0};
  ClientSocket socket_;
};

void call(nn::Model& model, const Tensors& tensors, const Order& order, at::Generator& random) {
  if (order.reseed != 0) random = forecast::random_numbers(order.seed);
  nn::StepContext context;
  context.random = random;
  context.call = static_cast<int>(order.step);
  const std::size_t datasets = tensors.layout.x.size();
  for (std::int64_t sample = 0; sample < tensors.samples; ++sample) {
    std::vector<at::Tensor> own;
    for (std::size_t i = 0; i < datasets; ++i) {
      const dist::RowRange rows = model.rows(i);
      own.push_back(tensor_of(tensors.block, tensors.layout.x[i])[sample]
                        .slice(1, rows.begin, rows.end)
                        .contiguous()
                        .to(model.device()));
    }
    if (order.noise != 0) context.noise = tensor_of(tensors.block, tensors.layout.noise.front())[sample];
    const std::vector<at::Tensor> y = model.predict(own, context);
    for (std::size_t i = 0; i < datasets; ++i) {
      if (!y[i].defined()) continue;
      const dist::RowRange rows = model.rows(i);
      tensor_of(tensors.block, tensors.layout.y[i])[sample].slice(1, rows.begin, rows.end).copy_(y[i]);
    }
  }
}

std::int64_t own_rows(const nn::Model& model, std::size_t datasets) {
  std::int64_t rows = 0;
  for (std::size_t i = 0; i < datasets; ++i) rows += model.rows(i).size();
  return rows;
}

}  // namespace

void run_service(const Options& options, const device::Device& device, dist::Communicator& communicator,
                 report::Reporter& reporter) {
  const c10::InferenceMode inference;
  const Stopwatch watch;
  report::Timings timings;
  reporter.phase(report::Phase::load);
  const checkpoint::Checkpoint checkpoint = checkpoint::open_checkpoint(options.checkpoint, {.forecast = false});
  nn::ModelOptions model_options = runner::model_options_on(device);
  model_options.precision = options.precision.value_or(Precision::f32);
  const auto model = nn::make_model(checkpoint.model, model_options, communicator);
  runner::CheckpointCheck check(checkpoint.archive, communicator, reporter);
  timings.load = watch.seconds();

  std::unique_ptr<Desk> desk;
  if (communicator.rank() == 0)
    desk = std::make_unique<Desk>(options, checkpoint.model, welcome_of(checkpoint.model, communicator.size()));
  reporter.phase(report::Phase::step);
  forecast::Figures figures(communicator);
  figures.begin_steps();
  Tensors tensors;
  at::Generator random = forecast::random_numbers(0);
  double seconds = 0;
  for (;;) {
    communicator.observer().entering("serve");
    Order order = desk ? desk->next(tensors) : Order{};
    share(order, communicator);
    if (order.kind == Order::end) break;
    if (order.kind == Order::open && !desk) {
      tensors = {};
      tensors.layout = layout_of(checkpoint.model, order.samples);
      tensors.block = SharedBlock(static_cast<pid_t>(order.process), static_cast<int>(order.at), tensors.layout.bytes);
      tensors.samples = order.samples;
    }
    if (order.kind == Order::open) {
      communicator.barrier("serve open");
      if (desk) desk->opened(tensors);
    }
    if (order.kind != Order::call) continue;
    const Stopwatch one;
    call(*model, tensors, order, random);
    check.look();
    communicator.barrier("serve done");
    const double took = one.seconds();
    seconds += took;
    ++timings.steps;
    if (timings.steps == 1) timings.first_step = took;
    if (desk) desk->done(took);
  }
  if (desk && desk->idle_too_long()) reporter.note("nobody has asked for anything in time: the service ends");
  timings.step_median = timings.steps > 0 ? seconds / timings.steps : 0;
  figures.end_steps(seconds, timings.steps);
  desk.reset();
  check.finish();
  timings.total = watch.seconds();
  timings.peak_device_bytes = device.peak_bytes().value_or(0);
  reporter.finished(timings, figures.result(own_rows(*model, checkpoint.model.datasets.size())));
}

}  // namespace tradewind::service
