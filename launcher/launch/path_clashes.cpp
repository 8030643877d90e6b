#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
#include <thread>

#include "common/errors.h"
#include "common/streams.h"
#include "launcher/launch/path_claims.h"
#include "launcher/launch/path_names.h"

namespace tradewind::launcher {
namespace {

namespace fs = std::filesystem;
using Use = PathClaim::Use;
using Names = PathClaim::Names;

constexpr std::array<const char*, 4> grib_endings = {".grib", ".grb", ".grb2", ".grib2"};
constexpr std::size_t most_listed = 200000;  // files of one claim that are looked at for second names

std::optional<struct stat> status_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return status;
}

FileIdentity identity_of(const struct stat& status) { return {status.st_dev, status.st_ino}; }

// The GRIB files below the folder.
void list_files(const std::string& folder, std::set<FileIdentity>& folders, std::set<FileIdentity>& files) {
  const auto own = status_of(folder);
  if (!own || !folders.insert(identity_of(*own)).second) return;  // links may lead back
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    if (files.size() + folders.size() > most_listed) return;
    const auto status = status_of(entry->path().string());
    if (status && S_ISDIR(status->st_mode)) list_files(entry->path().string(), folders, files);
    const std::string ending = entry->path().extension().string();
    if (status && S_ISREG(status->st_mode) &&
        std::find(grib_endings.begin(), grib_endings.end(), ending) != grib_endings.end())
      files.insert(identity_of(*status));
  }
}

// Found by the shell's pattern, of which those count that `names` may be.
std::set<FileIdentity> matching_files(const std::string& pattern, const NamePattern& names) {
  std::set<FileIdentity> files;
  glob_t found{};
  if (::glob(pattern.c_str(), GLOB_NOSORT | GLOB_PERIOD, nullptr, &found) == 0)
    for (std::size_t i = 0; i < std::min(found.gl_pathc, most_listed); ++i)
      if (const auto status = status_of(found.gl_pathv[i]);
          status && S_ISREG(status->st_mode) && names.can_equal(NamePattern::literal(found.gl_pathv[i])))
        files.insert(identity_of(*status));
  ::globfree(&found);
  return files;
}

// {key} as `*`, the rest literally.
std::string glob_of_keys(const std::string& path) {
  std::string pattern;
  for (std::size_t at = 0; at < path.size(); ++at) {
    const std::size_t end = path[at] == '{' ? path.find('}', at) : std::string::npos;
    if (end != std::string::npos) {
      pattern += '*';
      at = end;
    } else {
      if (std::string("*?[\\").find(path[at]) != std::string::npos) pattern += '\\';
      pattern += path[at];
    }
  }
  return pattern;
}

bool is_magic(const std::string& path) { return path.find_first_of("*?[") != std::string::npos; }

// A claim and what there is of it. Listing is left until something asks: it is rarely needed.
class Claimed {
 public:
  explicit Claimed(const PathClaim& claim) : claim_(claim) {
    const auto status = status_of(claim.path);
    const bool keys = claim.names == Names::keys && claim.path.find('{') != std::string::npos;
    if (keys) {
      patterns_.push_back(NamePattern::with_keys(resolved_before(claim.path, "{")));
    } else if (claim.names == Names::sources && status && S_ISDIR(status->st_mode)) {
      folder_ = true;
      for (const char* ending : grib_endings) patterns_.push_back(NamePattern::below(resolved(claim.path), ending));
    } else if (claim.names == Names::sources && !status && is_magic(claim.path)) {
      patterns_.push_back(NamePattern::glob(resolved_before(claim.path, "*?[")));
    } else {
      single_ = resolved(claim.path);
      patterns_.push_back(NamePattern::literal(single_));
      identities_.emplace();
      if (status && (S_ISREG(status->st_mode) || (claim.use == Use::writes && S_ISFIFO(status->st_mode))))
        identities_->insert(identity_of(*status));
      in_order_ = status && !S_ISREG(status->st_mode) && !S_ISDIR(status->st_mode);
    }
  }

  const PathClaim& claim() const { return claim_; }

  // How it meets the other; empty: it does not.
  std::string meets(Claimed& other) {
    if (in_order_ && other.in_order_ && !S_ISFIFO(mode_of(claim_.path))) return {};  // a terminal takes many
    for (const NamePattern& own : patterns_)
      for (const NamePattern& its : other.patterns_)
        if (own.can_equal(its)) return single_.empty() || other.single_.empty() ? "could be" : "is";
    if (!single_.empty() && claim_.names != Names::folder && other.single_.starts_with(single_ + "/"))
      return "stands in the way of";
    // By another name: only what is there already can be.
    Claimed& writer = claim_.use == Use::writes ? *this : other;
    Claimed& second = &writer == this ? other : *this;
    if (writer.identities().empty()) return {};
    const std::set<FileIdentity>& its = second.identities();
    const bool shared = std::any_of(writer.identities().begin(), writer.identities().end(),
                                    [&](const FileIdentity& file) { return its.contains(file); });
    return shared ? "is by another name" : "";
  }

 private:
  static mode_t mode_of(const std::string& path) {
    const auto status = status_of(path);
    return status ? status->st_mode : 0;
  }
  const std::set<FileIdentity>& identities() {
    if (identities_) return *identities_;
    identities_.emplace();
    if (folder_) {
      std::set<FileIdentity> folders;
      list_files(claim_.path, folders, *identities_);
    } else if (claim_.names == Names::sources) {
      identities_ = matching_files(claim_.path, NamePattern::glob(claim_.path));
    } else {
      identities_ = matching_files(glob_of_keys(claim_.path), NamePattern::with_keys(claim_.path));
    }
    return *identities_;
  }

  const PathClaim& claim_;
  bool folder_ = false, in_order_ = false;
  std::string single_;  // resolved; empty where it stands for several
  std::vector<NamePattern> patterns_;
  std::optional<std::set<FileIdentity>> identities_ = std::nullopt;
};

std::string words_of(const PathClaim& claim) {
  return claim.role + " '" + claim.path + "'" + (claim.where.empty() ? "" : " (" + claim.where + ")");
}

void check_pair(Claimed& first, Claimed& second) {
  if (!first.claim().output.empty() && first.claim().output == second.claim().output) return;
  const bool first_writes = first.claim().use == Use::writes;
  if (!first_writes && second.claim().use != Use::writes) return;
  std::string how = first.meets(second);
  bool swapped = false;
  if (how.empty() && !second.claim().path.empty()) {
    how = second.meets(first);
    swapped = !how.empty();
  }
  if (how.empty()) return;
  // What is written comes first: it is what the user changes.
  const bool turn = how == "stands in the way of" ? swapped : !first_writes;
  const PathClaim& one = turn ? second.claim() : first.claim();
  const PathClaim& other = turn ? first.claim() : second.claim();
  if (how == "is by another name") how = "is the same file as";
  const bool shared = one.where == other.where && !one.output.empty() && !other.output.empty();
  throw UserError(one.role + " '" + one.path + "' " + how + " " + words_of(other), one.where,
                  std::string("give each of them a path of its own") +
                      (shared ? ": {dataset} in it stands for the dataset's name" : ""));
}

}  // namespace

void check_claims(const PathClaims& claims) {
  std::vector<Claimed> all(claims.begin(), claims.end());
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = i + 1; j < all.size(); ++j) check_pair(all[i], all[j]);
}

std::vector<LockFile> lock_outputs(const PathClaims& claims, const std::string& words) {
  constexpr const char* remedy = "wait until that run has ended or end it, or write under another name";
  std::vector<LockFile> locks;
  for (const PathClaim& claim : claims) {
    const bool known = claim.names == Names::one || claim.path.find('{') == std::string::npos;
    if (claim.use != Use::writes || claim.role != output_role || !known) continue;
    if (descriptor_named(claim.path)) continue;  // several runs may add to what the shell has opened
    const std::string target = resolved(claim.path);
    const auto status = status_of(target);
    if (status && !S_ISREG(status->st_mode)) continue;
    // Processes of a run that was just killed may take a moment to go.
    for (int looks = 0; looks < 10 && holder_of_lock(target + ".lock"); ++looks)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    try {
      locks.push_back(LockFile::take(target + ".lock", "the output " + claim.path, remedy, LockPart::run, words));
    } catch (const EnvironmentFault&) {
    }
  }
  return locks;
}

}  // namespace tradewind::launcher
