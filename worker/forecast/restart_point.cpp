#include "worker/forecast/restart_point.h"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "common/errors.h"
#include "common/files/whole_file.h"
#include "worker/dist/texts.h"

namespace tradewind::forecast {
namespace {

using Json = nlohmann::json;
constexpr int layout_version = 4;
constexpr std::size_t most_at_once = std::size_t{64} << 20;  // so that the watch sees bytes move
constexpr std::size_t longest_point = std::size_t{64} << 20;

[[noreturn]] void fail(const std::string& doing, const std::string& path, int code) {
  throw EnvironmentFault("cannot " + doing + ": " + std::strerror(code), path,
                         code == ENOSPC || code == EDQUOT ? "make room there, or run without --restart" : "");
}

[[noreturn]] void damaged(const std::string& path) {
  throw EnvironmentFault("the state that the attempt before has kept is damaged", path, "run the forecast anew");
}

WholeFileOptions kept() {
  return {.what = "the state for a restart",
          .remedy = "give a run folder of your own with --run-dir, or run without --restart",
          .mode = S_IRUSR | S_IWUSR,
          .own_folder = true,
          .sync = true};
}

void write_pieces(WholeFile& file, const char* from, std::size_t size, dist::FileWatch& watch) {
  while (size > 0) {
    const std::size_t piece = std::min(size, most_at_once);
    file.write(from, piece);
    watch.moved(piece);
    from += piece;
    size -= piece;
  }
}

// A file of the restart folder, which is this user's alone.
Descriptor open_kept(const std::string& path) {
  const PathParts parts = parts_of(path);
  const Folder folder = Folder::open_own(parts.folder);
  return Descriptor(::openat(folder.get(), parts.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
}

void read_pieces(const Descriptor& file, const std::string& path, char* to, std::size_t size, dist::FileWatch& watch) {
  while (size > 0) {
    const ssize_t got = ::read(file.get(), to, std::min(size, most_at_once));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read the state that was kept", path, errno);
    if (got == 0) damaged(path);
    to += got;
    size -= static_cast<std::size_t>(got);
    watch.moved(static_cast<std::uint64_t>(got));
  }
}

const char* bytes_of(const at::Tensor& tensor) { return static_cast<const char*>(tensor.const_data_ptr()); }

std::vector<at::Tensor> tensors_of(const RestartPoint& point) {
  std::vector<at::Tensor> tensors = {point.random.contiguous()};
  for (const DatasetPoint& dataset : point.datasets) {
    tensors.push_back(dataset.x.contiguous());
    for (const auto& sums : dataset.sums)
      for (const auto& [variable, sum] : sums) tensors.push_back(sum.contiguous());
  }
  return tensors;
}

unsigned long crc_of(const std::vector<at::Tensor>& tensors) {
  unsigned long crc = ::crc32(0, nullptr, 0);
  for (const at::Tensor& tensor : tensors) {
    if (tensor.nbytes() == 0) continue;  // zlib begins anew at a null pointer
    crc = ::crc32_z(crc, reinterpret_cast<const Bytef*>(bytes_of(tensor)), tensor.nbytes());
  }
  return crc;
}

Json told_of(const DatasetPoint& dataset) {
  Json sums = Json::array();
  for (const auto& one : dataset.sums) {
    Json names = Json::array();
    for (const auto& [variable, sum] : one) names.push_back(variable);
    sums.push_back(names);
  }
  return {{"output", dataset.output}, {"sums", sums}};
}

// How many rows each sum has, of all datasets in their order: filters may keep fewer or more than the model's.
Json sum_sizes(const RestartPoint& point) {
  Json sizes = Json::array();
  for (const DatasetPoint& dataset : point.datasets)
    for (const auto& sums : dataset.sums)
      for (const auto& [variable, sum] : sums) sizes.push_back(sum.numel());
  return sizes;
}

// With tensors that are still to be read. `shape`: of x; `part`: of the rank, with the rows of each sum, of which
// `next` is the one to come. nullopt when there would be more of a sum than the whole file has.
std::optional<DatasetPoint> dataset_of(const Json& told, const std::vector<std::int64_t>& shape, const Json& part,
                                       std::size_t& next) {
  DatasetPoint dataset{.output = told.at("output"), .x = at::empty(shape, at::kFloat), .sums = {}};
  for (const Json& names : told.at("sums")) {
    auto& sums = dataset.sums.emplace_back();
    for (const Json& name : names) {
      const auto rows = part.at("rows").at(next++).get<std::uint32_t>();
      if (rows > part.at("bytes").get<std::uint64_t>() / sizeof(float)) return std::nullopt;
      sums[name.get<std::string>()] = at::empty({rows}, at::kFloat);
    }
  }
  return dataset;
}

// Empty when there is none.
std::string text_of(const std::string& path) {
  const Descriptor file = open_kept(path);
  if (!file.valid() && errno != ENOENT) fail("open a file of the restart folder", path, errno);
  std::string text;
  std::array<char, 4096> piece{};
  while (file.valid() && text.size() < longest_point) {
    const ssize_t got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read the state that was kept", path, errno);
    if (got == 0) break;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

RestartPoints::RestartPoints(std::string folder, bool keep, RunIdentity identity, dist::Communicator& communicator)
    : folder_(std::move(folder)), identity_(std::move(identity)), communicator_(communicator) {
  // On a host that does not share the run folder it is made there.
  const std::filesystem::path run_folder = std::filesystem::path(folder_).parent_path();
  std::error_code error;
  std::filesystem::create_directories(run_folder.parent_path(), error);
  Folder::make_own(run_folder);
  Folder::make_own(folder_);
  if (!keep) clear();
}

std::string RestartPoints::own_file(int calls) const {
  return folder_ + "/rank-" + std::to_string(communicator_.rank()) + ".call-" + std::to_string(calls);
}

void RestartPoints::write(const RestartPoint& point) {
  communicator_.observer().entering("restart point");
  const std::string path = own_file(point.calls);
  const std::vector<at::Tensor> tensors = tensors_of(point);
  std::size_t bytes = 0;
  {
    dist::FileWatch watch(communicator_.observer(), dist::FileUse::write, path);
    WholeFile file(path, kept());
    for (const at::Tensor& tensor : tensors) {
      write_pieces(file, bytes_of(tensor), tensor.nbytes(), watch);
      bytes += tensor.nbytes();
    }
    file.publish();
  }
  const Json own = {{"bytes", bytes}, {"crc32", crc_of(tensors)}, {"rows", sum_sizes(point)}};
  // Nobody's part comes before it is on disk; so the point is whole when rank 0 has them all.
  const auto parts = dist::gather_texts(communicator_, own.dump(), "restart point");
  if (communicator_.rank() == 0) {
    Json told = {{"version", layout_version},
                 {"identity", identity()},
                 {"calls", point.calls},
                 {"datasets", Json::array()},
                 {"parts", Json::array()}};
    for (const DatasetPoint& dataset : point.datasets) told["datasets"].push_back(told_of(dataset));
    for (const std::string& part : parts) told["parts"].push_back(Json::parse(part));
    const std::string head = folder_ + "/point.json", text = told.dump() + "\n";
    dist::FileWatch watch(communicator_.observer(), dist::FileUse::write, head);
    WholeFile file(head, kept());
    write_pieces(file, text.data(), text.size(), watch);
    file.publish();
  }
  communicator_.barrier("restart point");
  if (newest_) ::unlink(own_file(*newest_).c_str());
  newest_ = point.calls;
}

std::optional<RestartPoint> RestartPoints::read(const RestartShape& shape) {
  const std::string head = folder_ + "/point.json";
  const std::string text =
      dist::text_of_first(communicator_, communicator_.rank() == 0 ? text_of(head) : std::string(), "restart point");
  if (text.empty()) return std::nullopt;
  try {
    const Json told = Json::parse(text);
    if (told.at("identity").at("run") != identity_.run) {
      clear();
      return std::nullopt;
    }
    if (told.at("identity") != identity())
      throw UserError("config or checkpoint are not those that the attempt before has had", head,
                      "leave both alone while a run goes on; run the forecast anew");
    if (told.at("version") != layout_version || told.at("calls").get<int>() < 1 ||
        told.at("datasets").size() != shape.x.size() ||
        told.at("parts").size() != static_cast<std::size_t>(communicator_.size()))
      damaged(head);
    return read_told(told, shape);
  } catch (const Json::exception&) {
    damaged(head);
  }
}

RestartPoint RestartPoints::read_told(const Json& told, const RestartShape& shape) {
  RestartPoint point{.calls = told.at("calls"),
                     .random = at::empty({static_cast<std::int64_t>(shape.random_bytes)}, at::kByte),
                     .datasets = {}};
  const Json& part = told.at("parts").at(static_cast<std::size_t>(communicator_.rank()));
  std::size_t next = 0;
  for (std::size_t i = 0; i < shape.x.size(); ++i) {
    auto dataset = dataset_of(told.at("datasets").at(i), shape.x[i], part, next);
    if (!dataset) damaged(own_file(point.calls));
    point.datasets.push_back(std::move(*dataset));
  }
  const std::string path = own_file(point.calls);
  const std::vector<at::Tensor> tensors = tensors_of(point);  // contiguous: the same memory
  std::size_t bytes = 0;
  for (const at::Tensor& tensor : tensors) bytes += tensor.nbytes();
  if (part.at("bytes").get<std::size_t>() != bytes) damaged(path);
  {
    dist::FileWatch watch(communicator_.observer(), dist::FileUse::read, path);
    const Descriptor file = open_kept(path);
    if (!file.valid()) fail("open a file of the restart folder", path, errno);
    for (const at::Tensor& tensor : tensors)
      read_pieces(file, path, static_cast<char*>(tensor.data_ptr()), tensor.nbytes(), watch);
  }
  if (part.at("crc32").get<unsigned long>() != crc_of(tensors)) damaged(path);
  newest_ = point.calls;
  return point;
}

Json RestartPoints::identity() const {
  return {{"run", identity_.run}, {"config", identity_.config}, {"checkpoint", identity_.checkpoint}};
}

void RestartPoints::clear() {
  const std::string own = "rank-" + std::to_string(communicator_.rank()) + ".";
  if (communicator_.rank() == 0) ::unlink((folder_ + "/point.json").c_str());
  std::error_code error;
  std::vector<std::filesystem::path> mine;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error))
    if (entry.path().filename().string().starts_with(own)) mine.push_back(entry.path());
  for (const auto& path : mine) std::filesystem::remove(path, error);
  newest_.reset();
}

void RestartPoints::remove() {
  clear();
  std::error_code error;
  std::filesystem::remove(folder_, error);  // goes with the last rank's files
}

}  // namespace tradewind::forecast
