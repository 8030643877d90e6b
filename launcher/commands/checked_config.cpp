#include "launcher/commands/checked_config.h"

#include <filesystem>
#include <utility>

#include "common/checkpoint/opening/obstacles.h"
#include "common/errors.h"
#include "common/fit/fit.h"
#include "common/sampling/sampling.h"

namespace tradewind::launcher {
namespace {

// A checkpoint that cannot run here still gets launcher and watch.
void point_to_exec(Refusals& obstacles, const std::string& config) {
  if (obstacles.empty()) return;
  std::string& remedy = obstacles.back().remedy;
  remedy += (remedy.empty() ? "" : "; ") + std::string("the reference runs under the same launcher and watch by: ") +
            "tradewind exec -- anemoi-inference run " + (config::is_override(config) ? "CONFIG" : config);
}

void check_checkpoint(CheckedConfig& checked, const std::string& config) {
  const std::string& path = checked.config.checkpoint;
  std::error_code code;
  if (path.empty() || !std::filesystem::exists(path, code) || std::filesystem::is_directory(path, code))
    return;  // said already
  config::Findings& findings = checked.findings;
  findings.attempt([&] {
    checkpoint::Examined found = checkpoint::examine(path, {.precision_given = checked.config.precision.has_value(),
                                                            .patch_metadata = checked.config.patch_metadata});
    if (!found.metadata.empty()) check_fit(checked.config, checked.document, found.metadata, findings);
    if (found.model && found.model->transport)
      findings.attempt([&] {
        const checkpoint::TransportDescription& transport = *found.model->transport;
        sampling::resolve(transport.objective, transport.defaults, checked.config.sampling);
      });
    point_to_exec(found.obstacles, config);
    refuse_all(std::move(found.obstacles));
    checked.checkpoint = checkpoint::Checkpoint{std::move(found.archive), std::move(found.contents),
                                                std::move(found.metadata), *std::move(found.model)};
  });
}

}  // namespace

CheckedConfig read_config(const config::LoadRequest& request, const Environment& environment) {
  CheckedConfig checked;
  checked.document = config::merge_config(request, environment, checked.findings);
  checked.config = config::parse_run_config(checked.document, checked.findings);
  return checked;
}

CheckedConfig check_config(const config::LoadRequest& request, const Environment& environment) {
  CheckedConfig checked = read_config(request, environment);
  config::check_files(checked.config, checked.document, checked.findings);
  check_checkpoint(checked, request.config);
  return checked;
}

}  // namespace tradewind::launcher
