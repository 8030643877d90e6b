#include "worker/outputs/tee_output.h"

#include <algorithm>
#include <iterator>

#include "common/errors.h"

namespace tradewind::outputs {

TeeOutput::TeeOutput(const config::TeeOutputConfig& config, const OutputContext& context,
                     dist::Communicator& communicator) {
  // What may wait is the rank's, not each output's.
  OutputContext part = context;
  part.pending_bytes = context.pending_bytes / std::max<std::size_t>(1, config.outputs.size());
  for (const config::OutputConfig& output : config.outputs) outputs_.push_back(make_output(output, part, communicator));
}

bool TeeOutput::wants(Duration step) const {
  return std::any_of(outputs_.begin(), outputs_.end(), [&](const auto& output) { return output->wants(step); });
}

std::vector<std::string> TeeOutput::prepare(const Outlook& outlook) {
  std::vector<std::string> warnings;
  for (const auto& output : outputs_)
    for (std::string& warning : output->prepare(outlook)) warnings.push_back(std::move(warning));
  return warnings;
}

void TeeOutput::write(const State& state) {
  for (const auto& output : outputs_)
    if (output->wants(state.step)) output->write(state);
}

void TeeOutput::close() {
  for (const auto& output : outputs_) output->close();
}

OutputFigures TeeOutput::figures() const {
  OutputFigures all;
  for (const auto& output : outputs_) {
    const OutputFigures one = output->figures();
    all.bytes += one.bytes;
    all.encoding_seconds += one.encoding_seconds;
    all.file_seconds += one.file_seconds;
    all.blocked_seconds += one.blocked_seconds;
    all.most_pending_bytes += one.most_pending_bytes;
    all.pending_limit_bytes += one.pending_limit_bytes;
  }
  return all;
}

std::string TeeOutput::caution() const {
  std::string all;
  for (const auto& output : outputs_)
    if (const std::string one = output->caution(); !one.empty()) all += (all.empty() ? "" : "; ") + one;
  return all;
}

std::vector<std::string> TeeOutput::files() const {
  std::vector<std::string> all;
  for (const auto& output : outputs_)
    for (std::string& file : output->files()) all.push_back(std::move(file));
  return all;
}

std::vector<Output*> TeeOutput::parts() const {
  std::vector<Output*> all;
  for (const auto& output : outputs_) all.push_back(output.get());
  return all;
}

std::string TeeOutput::why_no_restart() const {
  for (const auto& output : outputs_)
    if (std::string why = outputs::why_no_restart(*output); !why.empty()) return why;
  return {};
}

// Of each what it has told and how many filters' fields are its.
Settled TeeOutput::settle() {
  Settled all{.told = nlohmann::json::array(), .kept = {}};
  for (const auto& output : outputs_) {
    Settled one = restartable(*output).settle();
    all.told.push_back({{"told", std::move(one.told)}, {"kept", one.kept.size()}});
    std::move(one.kept.begin(), one.kept.end(), std::back_inserter(all.kept));
  }
  return all;
}

void TeeOutput::resume(Settled settled) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const nlohmann::json& told = settled.told.at(i);
    Settled one{.told = told.at("told"), .kept = {}};
    for (auto left = told.at("kept").get<std::size_t>(); left > 0; --left)
      one.kept.push_back(std::move(settled.kept.at(next++)));
    restartable(*outputs_[i]).resume(std::move(one));
  }
}

}  // namespace tradewind::outputs
