#include "launcher/watch/status_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "common/errors.h"
#include "common/printable.h"

namespace tradewind::launcher {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_bytes = std::size_t{16} << 20;  // those of 30000 ranks fit
constexpr std::size_t most_ranks = 100'000, longest_text = 400;
constexpr int deepest = 8;

enum class Kind { text, whole, real, real_or_null };
struct Key {
  const char* name;
  Kind kind;
};
// As status_json() of status.h writes them.
constexpr std::array top_keys = {Key{"schema", Kind::whole}, Key{"time", Kind::text}, Key{"state", Kind::text}};
constexpr std::array launcher_keys = {Key{"host", Kind::text}, Key{"pid", Kind::whole}};
constexpr std::array rank_keys = {Key{"rank", Kind::whole},
                                  Key{"host", Kind::text},
                                  Key{"pid", Kind::whole},
                                  Key{"device", Kind::text},
                                  Key{"phase", Kind::text},
                                  Key{"step", Kind::whole},
                                  Key{"steps", Kind::whole},
                                  Key{"place", Kind::text},
                                  Key{"collective", Kind::whole},
                                  Key{"seconds_in_place", Kind::real},
                                  Key{"wait_share", Kind::real_or_null},
                                  Key{"compute_share", Kind::real_or_null},
                                  Key{"resident_bytes", Kind::whole}};

class Reader {
 public:
  explicit Reader(std::string where) : where_(std::move(where)) {}

  [[noreturn]] void refuse(const std::string& why) const {
    throw UserError("this is no status of a run: " + why, where_, "give the run folder of a run of Tradewind");
  }

  Json parse(std::string_view text) const {
    const auto bounded = [this](int depth, Json::parse_event_t, Json&) {
      if (depth > deepest) refuse("it is nested deeper than " + std::to_string(deepest) + " levels");
      return true;
    };
    try {
      Json json = Json::parse(text, bounded);
      if (!json.is_object()) refuse("it is " + kind_of(json) + ", not an object");
      return json;
    } catch (const Json::exception& error) {
      refuse(printable_line(error.what()));
    }
  }

  template <typename Keys>
  Json known(const Json& object, const Keys& keys, const std::string& within) const {
    Json kept = Json::object();
    for (const Key& key : keys) {
      const auto found = object.find(key.name);
      if (found != object.end()) kept[key.name] = value(*found, key.kind, within + key.name);
    }
    return kept;
  }

  void require_object(const Json& json, const std::string& name) const {
    if (!json.is_object()) refuse("`" + name + "` is " + kind_of(json) + ", not an object");
  }

  static std::string kind_of(const Json& json) {
    if (json.is_number()) return "a number";
    if (json.is_string()) return "a text";
    if (json.is_array()) return "a list";
    if (json.is_object()) return "an object";
    return json.is_null() ? "null" : "a truth value";
  }

 private:
  Json value(const Json& json, Kind kind, const std::string& name) const {
    if (kind == Kind::text) {
      if (!json.is_string()) refuse("`" + name + "` is " + kind_of(json) + ", not a text");
      const auto& text = json.get_ref<const std::string&>();
      return printable_line(std::string_view(text).substr(0, longest_text));
    }
    if (kind == Kind::whole) {
      if (!json.is_number_integer()) refuse("`" + name + "` is " + kind_of(json) + ", not a whole number");
      const bool large = json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX;
      const bool narrow = name.find("bytes") == std::string::npos && name.find("collective") == std::string::npos;
      const std::int64_t number = large ? INT64_MAX : json.get<std::int64_t>();
      if (large || (narrow && (number > INT32_MAX || number < INT32_MIN))) refuse("`" + name + "` is too large");
      return number;
    }
    if (json.is_null() && kind == Kind::real_or_null) return json;
    if (!json.is_number()) refuse("`" + name + "` is " + kind_of(json) + ", not a number");
    constexpr double most = 1e12;
    const auto number = json.get<double>();
    if (!(std::abs(number) <= most)) refuse("`" + name + "` is too large");
    return number;
  }

  std::string where_;
};

[[noreturn]] void cannot(const std::filesystem::path& file, int error) {
  throw EnvironmentFault(std::string("the status cannot be read: ") + std::strerror(error), file.string(),
                         error == ELOOP ? "it is a link, which could lead anywhere: give the run folder itself" : "");
}

std::string bounded_text(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
  if (descriptor < 0) cannot(file, errno);
  const struct Closer {
    int descriptor;
    ~Closer() { ::close(descriptor); }
  } closer{descriptor};
  struct stat facts {};
  if (::fstat(descriptor, &facts) != 0) cannot(file, errno);
  if (!S_ISREG(facts.st_mode)) throw UserError("the status is not a regular file", file.string(), "remove it");
  std::string text;
  std::array<char, std::size_t{64} << 10> piece{};
  while (text.size() <= most_bytes) {
    const ssize_t count = ::read(descriptor, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) cannot(file, errno);
    if (count == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  throw UserError("the status is larger than " + std::to_string(most_bytes >> 20U) + " MiB", file.string(),
                  "give the run folder of a run of Tradewind");
}

}  // namespace

Json parse_status(std::string_view text, const std::string& where) {
  const Reader reader(where);
  const Json json = reader.parse(text);
  Json status = reader.known(json, top_keys, "");
  if (const auto launcher = json.find("launcher"); launcher != json.end()) {
    reader.require_object(*launcher, "launcher");
    status["launcher"] = reader.known(*launcher, launcher_keys, "launcher.");
  }
  const auto ranks = json.find("ranks");
  if (ranks == json.end()) return status;
  if (!ranks->is_array()) reader.refuse("`ranks` is " + Reader::kind_of(*ranks) + ", not a list");
  if (ranks->size() > most_ranks) reader.refuse("it tells of more than " + std::to_string(most_ranks) + " ranks");
  Json kept = Json::array();
  for (std::size_t i = 0; i < ranks->size(); ++i) {
    const std::string name = "ranks[" + std::to_string(i) + "]";
    reader.require_object((*ranks)[i], name);
    kept.push_back(reader.known((*ranks)[i], rank_keys, name + "."));
  }
  status["ranks"] = std::move(kept);
  return status;
}

Json read_status(const std::filesystem::path& file) { return parse_status(bounded_text(file), file.string()); }

}  // namespace tradewind::launcher
