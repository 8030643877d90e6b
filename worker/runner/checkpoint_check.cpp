#include "worker/runner/checkpoint_check.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/errors.h"
#include "worker/dist/texts.h"

namespace tradewind::runner {
namespace {

using Json = nlohmann::json;

// The same for all processes of one running kernel.
std::string kernel() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

// Ranks that have the very same file before them share the work.
checkpoint::Share share_of(const archive::Archive& archive, dist::Communicator& communicator) {
  const Json own = {{"content", archive.fingerprint()}, {"file", kernel() + " " + archive.inode()}};
  const auto all = dist::gather_texts(communicator, own.dump(), "checkpoint");
  checkpoint::Share share{.index = 0, .of = 0};
  for (int rank = 0; rank < communicator.size(); ++rank) {
    const Json other = Json::parse(all[static_cast<std::size_t>(rank)]);
    if (other["content"] != own["content"])
      throw UserError(
          "rank " + std::to_string(rank) + " reads another checkpoint than rank " + std::to_string(communicator.rank()),
          archive.path(), "give all hosts the same file, and leave it alone while a run starts");
    if (other["file"] != own["file"]) continue;
    if (rank == communicator.rank()) share.index = share.of;
    ++share.of;
  }
  return share;
}

}  // namespace

CheckpointCheck::CheckpointCheck(std::shared_ptr<const archive::Archive> archive, dist::Communicator& communicator,
                                 report::Reporter& reporter)
    : archive_(std::move(archive)), communicator_(communicator), check_(archive_, share_of(*archive_, communicator)) {
  const std::string warning =
      communicator.rank() == 0 ? checkpoint::warning_without_checksum(*archive_) : std::string();
  if (!warning.empty()) reporter.warning(warning);
}

void CheckpointCheck::finish() {
  communicator_.observer().entering("checksums of the checkpoint");
  {
    dist::FileWatch watch(communicator_.observer(), dist::FileUse::read, archive_->path());
    check_.finish([&watch](std::uint64_t bytes) { watch.moved(bytes); });
  }
  communicator_.barrier("checkpoint");  // nobody's output is named while another may still find damage
}

}  // namespace tradewind::runner
