#include "worker/runner/restart_point.h"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "common/errors.h"
#include "worker/dist/texts.h"

namespace tradewind::runner {
namespace {

using Json = nlohmann::json;
constexpr int layout_version = 2;
constexpr std::size_t most_at_once = std::size_t{64} << 20;  // so that the watch sees bytes move

[[noreturn]] void fail(const std::string& doing, const std::string& path, int code) {
  throw EnvironmentFault("cannot " + doing + ": " + std::strerror(code), path,
                         code == ENOSPC || code == EDQUOT ? "make room there, or run without --restart" : "");
}

[[noreturn]] void damaged(const std::string& path) {
  throw EnvironmentFault("the state that the attempt before has kept is damaged", path, "run the forecast anew");
}

class File {
 public:
  File(const std::string& path, int flags) : path_(path), descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {
    if (descriptor_ < 0) fail("open a file of the restart folder", path_, errno);
  }
  ~File() { ::close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void write(const char* from, std::size_t size, dist::FileWatch& watch) const {
    while (size > 0) {
      const ssize_t wrote = ::write(descriptor_, from, std::min(size, most_at_once));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) fail("keep the state for a restart", path_, errno);
      from += wrote;
      size -= static_cast<std::size_t>(wrote);
      watch.moved(static_cast<std::uint64_t>(wrote));
    }
  }
  void read(char* to, std::size_t size, dist::FileWatch& watch) const {
    while (size > 0) {
      const ssize_t got = ::read(descriptor_, to, std::min(size, most_at_once));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail("read the state that was kept", path_, errno);
      if (got == 0) damaged(path_);
      to += got;
      size -= static_cast<std::size_t>(got);
      watch.moved(static_cast<std::uint64_t>(got));
    }
  }
  void sync() const {
    if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS)
      fail("keep the state for a restart", path_, errno);
  }

 private:
  std::string path_;
  int descriptor_;
};

std::string beside(const std::string& path) { return path + ".partial"; }

// Gives a file that is on disk its name, for good.
void put(const std::string& path) {
  if (::rename(beside(path).c_str(), path.c_str()) != 0) fail("name the state for a restart", path, errno);
  const std::string folder = std::filesystem::path(path).parent_path().string();
  File(folder, O_RDONLY | O_DIRECTORY).sync();
}

const char* bytes_of(const at::Tensor& tensor) { return static_cast<const char*>(tensor.const_data_ptr()); }

std::vector<at::Tensor> tensors_of(const RestartPoint& point) {
  std::vector<at::Tensor> tensors = {point.x.contiguous()};
  for (const auto& sums : point.sums)
    for (const auto& [variable, sum] : sums) tensors.push_back(sum.contiguous());
  return tensors;
}

unsigned long crc_of(const std::vector<at::Tensor>& tensors) {
  unsigned long crc = ::crc32(0, nullptr, 0);
  for (const at::Tensor& tensor : tensors)
    crc = ::crc32_z(crc, reinterpret_cast<const Bytef*>(bytes_of(tensor)), tensor.nbytes());
  return crc;
}

std::string text_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

RestartPoints::RestartPoints(std::string folder, bool keep, RunIdentity identity, dist::Communicator& communicator)
    : folder_(std::move(folder)), identity_(std::move(identity)), communicator_(communicator) {
  // On a host that does not share the run folder it is made there.
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) fail("make the restart folder", folder_, error.value());
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
    const File file(beside(path), O_WRONLY | O_CREAT | O_TRUNC);
    for (const at::Tensor& tensor : tensors) {
      file.write(bytes_of(tensor), tensor.nbytes(), watch);
      bytes += tensor.nbytes();
    }
    file.sync();
    put(path);
  }
  const Json own = {{"bytes", bytes}, {"crc32", crc_of(tensors)}};
  // Nobody's part comes before it is on disk; so the point is whole when rank 0 has them all.
  const auto parts = dist::gather_texts(communicator_, own.dump(), "restart point");
  if (communicator_.rank() == 0) {
    Json told = {{"version", layout_version}, {"identity", identity()}, {"calls", point.calls},
                 {"output", point.output},    {"sums", Json::array()},  {"parts", Json::array()}};
    for (const auto& sums : point.sums) {
      Json names = Json::array();
      for (const auto& [variable, sum] : sums) names.push_back(variable);
      told["sums"].push_back(names);
    }
    for (const std::string& part : parts) told["parts"].push_back(Json::parse(part));
    const std::string head = folder_ + "/point.json", text = told.dump() + "\n";
    dist::FileWatch watch(communicator_.observer(), dist::FileUse::write, head);
    const File file(beside(head), O_WRONLY | O_CREAT | O_TRUNC);
    file.write(text.data(), text.size(), watch);
    file.sync();
    put(head);
  }
  communicator_.barrier("restart point");
  if (newest_) ::unlink(own_file(*newest_).c_str());
  newest_ = point.calls;
}

std::optional<RestartPoint> RestartPoints::read(const std::vector<std::int64_t>& shape) {
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
        told.at("parts").size() != static_cast<std::size_t>(communicator_.size()))
      damaged(head);
    return read_told(told, shape);
  } catch (const Json::exception&) {
    damaged(head);
  }
}

RestartPoint RestartPoints::read_told(const Json& told, const std::vector<std::int64_t>& shape) {
  RestartPoint point{
      .calls = told.at("calls"), .output = told.at("output"), .x = at::empty(shape, at::kFloat), .sums = {}};
  for (const Json& names : told.at("sums")) {
    auto& sums = point.sums.emplace_back();
    for (const Json& name : names) sums[name.get<std::string>()] = at::empty({shape.at(1)}, at::kFloat);
  }
  const std::string path = own_file(point.calls);
  const std::vector<at::Tensor> tensors = tensors_of(point);  // contiguous: the same memory
  const Json& part = told.at("parts").at(static_cast<std::size_t>(communicator_.rank()));
  std::size_t bytes = 0;
  for (const at::Tensor& tensor : tensors) bytes += tensor.nbytes();
  if (part.at("bytes").get<std::size_t>() != bytes) damaged(path);
  {
    dist::FileWatch watch(communicator_.observer(), dist::FileUse::read, path);
    const File file(path, O_RDONLY);
    for (const at::Tensor& tensor : tensors) file.read(static_cast<char*>(tensor.data_ptr()), tensor.nbytes(), watch);
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

}  // namespace tradewind::runner
